// A handler on an alternate stack, which here lies above or below the thread's own: it nests all the same.
#include "target.h"
#include <signal.h>
static char low[65536];
static volatile int count;
CALL void inner(int n) { count += n; }
CALL void handler(int number) {
  inner(number);
  inner(1);
}
CALL void interrupted(int n) {
  raise(SIGUSR1);
  inner(n);
}
int main(void) {
  stack_t stack = {.ss_sp = low, .ss_size = sizeof low};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, NULL);
  sigaction(SIGUSR1, &action, NULL);
  for (int i = 0; i < 3; i++) interrupted(i);
  printf("%d\n", count);
  return 0;
}
