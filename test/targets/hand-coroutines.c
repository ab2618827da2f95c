// Coroutines whose switch is a few instructions of the program's own: two stacks, whose calls return in another order than
// they were made.
#include "target.h"
void switch_stack(void **from, void *to);
__asm__(".text\n.globl switch_stack\n.type switch_stack,@function\nswitch_stack:\n"
        "push %rbp\npush %rbx\npush %r12\npush %r13\npush %r14\npush %r15\n"
        "mov %rsp,(%rdi)\nmov %rsi,%rsp\n"
        "pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\npop %rbp\nret\n.size switch_stack,.-switch_stack\n");
static void *home, *other;
static char stack[65536] __attribute__((aligned(16)));
static int transferred;
CALL int square(int n) { return n * n; }
CALL void yield(int value) {
  transferred = square(value);
  switch_stack(&other, home);
}
CALL int descend(int depth) {
  if (depth == 0) return 0;
  int below = descend(depth - 1);
  yield(depth);
  return below + 1;
}
CALL void body(void) {
  int total = descend(4);
  for (;;) yield(total);
}
CALL int resume(int n) {
  switch_stack(&home, other);
  return transferred + n;
}
CALL int nested(int depth) { return depth ? nested(depth - 1) + resume(depth) : resume(0); }
int main(void) {
  void **top = (void **)(stack + sizeof stack) - 2;
  *top = (void *)body;
  other = top - 6;
  for (int i = 0; i < 3; i++) printf("%d ", nested(i));
  puts("");
  return 0;
}
