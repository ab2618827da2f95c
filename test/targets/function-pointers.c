#include "target.h"
typedef int (*operation)(int, int);
CALL int add(int a, int b) { return a + b; }
CALL int subtract(int a, int b) { return a - b; }
CALL int multiply(int a, int b) { return a * b; }
CALL operation choose(int i) {
  static const operation table[] = {add, subtract, multiply};
  return table[i % 3];
}
CALL int apply(operation f, int a, int b) { return f(a, b); }
int main(void) {
  int value = 1;
  for (int i = 0; i < 12; i++) value = apply(choose(i), value, i);
  printf("%d\n", value);
  return 0;
}
