// A thread that is not the first one replaces the program: all others end, and it takes the process's id over.
#include "target.h"
#include <pthread.h>
#include <unistd.h>
static volatile int waits;
CALL int before(int n) { return n + 1; }
CALL void replace(void) {
  execl("/bin/echo", "echo", "replaced", NULL);
  puts("not reached");
}
CALL void *run(void *argument) {
  // Without a call, so that there are as many in every run.
  while (!waits);
  usleep(20000);
  printf("%d\n", before(1));
  fflush(stdout);
  replace();
  return argument;
}
CALL void wait_forever(void) {
  waits = 1;
  for (;;) pause();
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, NULL);
  wait_forever();
  return 1;
}
