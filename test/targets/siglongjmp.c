// Signal handlers that do not come back: siglongjmp out of them, from the thread's own stack and from an alternate one.
#include "target.h"
#include <setjmp.h>
#include <signal.h>
static sigjmp_buf home;
static char alternate[65536];
CALL void leave(int value) { siglongjmp(home, value); }
CALL void on_signal(int number) {
  leave(number);
  puts("not reached");
}
CALL void provoke(int depth, int number) {
  if (depth == 0) raise(number);
  else provoke(depth - 1, number);
  puts("not reached");
  USED(depth);
}
CALL int after(int number) { return number == SIGUSR1 ? 1 : 2; }
CALL int guarded(int depth, int number) {
  int value = sigsetjmp(home, 1);
  if (value == 0) provoke(depth, number);
  return after(value);
}
int main(void) {
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  struct sigaction here = {.sa_handler = on_signal}, there = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, NULL);
  sigaction(SIGUSR1, &here, NULL);
  sigaction(SIGUSR2, &there, NULL);
  for (int depth = 0; depth < 4; depth++) printf("%d %d\n", guarded(depth, SIGUSR1), guarded(depth, SIGUSR2));
  return 0;
}
