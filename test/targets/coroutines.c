// Stacks that are switched by hand: a hooked return would come back to the wrong place.
#include "target.h"
#include <ucontext.h>
static ucontext_t home, other;
static char stack[65536];
CALL int produce(int n) { return n * n; }
CALL void yield_value(int n) {
  printf("%d ", produce(n));
  swapcontext(&other, &home);
}
CALL void generator(void) {
  for (int i = 0; i < 5; i++) yield_value(i);
  printf("done ");
}
CALL void resume(void) { swapcontext(&home, &other); }
int main(void) {
  getcontext(&other);
  other.uc_stack.ss_sp = stack;
  other.uc_stack.ss_size = sizeof stack;
  other.uc_link = &home;
  makecontext(&other, generator, 0);
  for (int i = 0; i < 6; i++) resume();
  puts("end");
  return 0;
}
