// Handlers on the thread's own stack, nested, and one that interrupts a function in its middle.
#include "target.h"
#include <signal.h>
static volatile int count;
CALL void bump(int by) { count += by; }
CALL void on_user2(int number) { bump(number == SIGUSR2 ? 100 : 1000); }
CALL void on_user1(int number) {
  bump(number == SIGUSR1 ? 1 : 1000);
  raise(SIGUSR2);
  bump(10);
}
CALL void on_fault(int number, siginfo_t *info, void *context) {
  (void)number, (void)info;
  // Step over the two bytes of `ud2`.
  ((long *)context)[5 + 16] += 2;
  bump(10000);
}
CALL void faults(void) { __asm__ volatile("nop\n ud2"); }
CALL void interrupted(void) { raise(SIGUSR1); }
int main(void) {
  struct sigaction fault = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  signal(SIGUSR1, on_user1);
  signal(SIGUSR2, on_user2);
  sigaction(SIGILL, &fault, NULL);
  for (int i = 0; i < 3; i++) interrupted();
  faults();
  printf("%d\n", count);
  return 0;
}
