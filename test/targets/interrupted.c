// Waits for SIGINT, counts it for a while, and ends in its own way.
#include "target.h"
#include <signal.h>
#include <unistd.h>
static volatile int count;
CALL void on_interrupt(int number) {
  (void)number;
  count++;
}
CALL void wait_for_it(void) {
  while (!count) pause();
  for (int i = 0; i < 5; i++) usleep(20000);
}
int main(void) {
  signal(SIGINT, on_interrupt);
  puts("ready");
  fflush(stdout);
  wait_for_it();
  printf("interrupted %d times\n", count);
  return 5 + count;
}
