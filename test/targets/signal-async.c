// Signals from another thread, which arrive wherever the target happens to be.
#include "target.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
static sem_t handled;
static volatile int begun, stop;
static volatile long count;
CALL void bump(long by) { count += by; }
CALL void on_signal(int number) {
  bump(number == SIGUSR1);
  sem_post(&handled);
}
CALL long leaf(long n) {
  USED(n);
  return n + 1;
}
CALL long middle(long n) { return leaf(leaf(n)) - 1; }
CALL void *run(void *argument) {
  long n = 0, turns = 0;
  for (; !stop; begun = 1) n = middle(n), turns++;
  return (void *)(long)(n == turns);
}
int main(void) {
  pthread_t thread;
  void *consistent;
  sem_init(&handled, 0, 0);
  signal(SIGUSR1, on_signal);
  pthread_create(&thread, NULL, run, NULL);
  while (!begun) sched_yield();
  for (int i = 0; i < 50; i++) {
    pthread_kill(thread, SIGUSR1);
    while (sem_wait(&handled) != 0);
  }
  stop = 1;
  pthread_join(thread, &consistent);
  printf("%ld %ld\n", count, (long)consistent);
  return 0;
}
