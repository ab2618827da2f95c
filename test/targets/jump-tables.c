// Dense switches, which become jump tables, and the computed goto of interpreters.
#include "target.h"
CALL int add(int a, int b) { return a + b; }
CALL int multiply(int a, int b) { return a * b; }
CALL int by_switch(int code, int n) {
  switch (code) {
    case 0: return add(n, 1);
    case 1: return multiply(n, 3);
    case 2: return n - 7;
    case 3: return add(multiply(n, 2), 5);
    case 4: return n ^ 0x55;
    case 5: return multiply(add(n, 4), 2) + 1;
    case 6: return n << 3;
    case 7: printf("seven "); return n;
    case 8: return add(n, n);
    case 9: return -n;
    default: return 0;
  }
}
CALL int by_goto(const unsigned char *code, int n) {
  static const void *const labels[] = {&&done, &&increment, &&twice, &&negate, &&square};
  goto *labels[*code++];
increment:
  n = add(n, 1);
  goto *labels[*code++];
twice:
  n = multiply(n, 2);
  goto *labels[*code++];
negate:
  n = -n;
  goto *labels[*code++];
square:
  n = multiply(n, n);
  goto *labels[*code++];
done:
  return n;
}
int main(void) {
  static const unsigned char program[] = {1, 2, 4, 3, 2, 1, 1, 0};
  for (int code = 0; code < 12; code++) printf("%d ", by_switch(code, code + 1));
  for (int n = 0; n < 4; n++) printf("%d ", by_goto(program, n));
  puts("");
  return 0;
}
