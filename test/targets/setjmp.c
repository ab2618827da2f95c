#include "target.h"
#include <setjmp.h>
static jmp_buf home;
CALL void jump(int value) { longjmp(home, value); }
CALL void nested(int depth, int value) {
  if (depth == 0) jump(value);
  nested(depth - 1, value);
  puts("not reached");
  USED(depth);  // No tail call: see longjmp-tail.c.
}
CALL int after(int n) { return n * 2; }
CALL int guarded(int depth) {
  int value = setjmp(home);
  if (value == 0) nested(depth, depth + 10);
  return after(value);
}
int main(void) {
  for (int depth = 0; depth < 4; depth++) printf("%d\n", guarded(depth));
  return 0;
}
