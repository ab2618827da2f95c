// Two threads that call at full speed, N times in all.
#include <pthread.h>
#include "bench.h"

static pthread_barrier_t both_ready;
static long calls_each;

CALL long leaf(long n) {
  USED(n);
  return n + 1;
}

static void *worker(void *elapsed) {
  pthread_barrier_wait(&both_ready);
  long begin = now_ns(), calls = 0;
  while (calls < calls_each) calls = leaf(calls);
  *(long *)elapsed = now_ns() - begin;
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[2];
  long elapsed[2];
  calls_each = (argc > 1 ? atol(argv[1]) : 1000000) / 2;
  pthread_barrier_init(&both_ready, NULL, 2);
  say_start();
  long cpu = cpu_ns();
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, worker, &elapsed[i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  say_end(elapsed[0] + elapsed[1], cpu_ns() - cpu, 2 * calls_each);
  return 0;
}
