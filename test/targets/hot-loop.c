// Runs until the file named by its argument appears (or 30 s), to be attached to. Prints its counter's consistency at the end.
#include "target.h"
#include <pthread.h>
#include <time.h>
#include <unistd.h>
static volatile int stop;
CALL long leaf(long n) {
  USED(n);
  return n + 1;
}
CALL long middle(long n) { return leaf(leaf(n)) - 1; }
CALL long outer(long n) {
  long next = middle(n);
  struct timespec pause = {0, 200000};
  nanosleep(&pause, NULL);
  return leaf(next) - 1;
}
CALL void *loop(void *argument) {
  long n = 0;
  (void)argument;
  while (!stop) n = outer(n);
  return (void *)n;
}
int main(int argc, char **argv) {
  pthread_t thread;
  void *other;
  pthread_create(&thread, NULL, loop, NULL);
  puts("running");
  fflush(stdout);
  for (int i = 0; i < 300 && (argc < 2 || access(argv[1], F_OK) != 0); i++) usleep(100000);
  stop = 1;
  pthread_join(thread, &other);
  puts((long)other > 0 ? "stopped in order" : "never ran");
  return 0;
}
