// Starts as many threads as it is told, a few at a time, so that their ids are used again; each counts its calls.
#include "target.h"
#include <pthread.h>
static long calls;
static void count(void) { __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED); }
CALL long leaf(long n) {
  n++;
  USED(n); // Before the counting: the kernel refuses a probe on the `lock` prefix that a function begins with.
  count();
  return n;
}
CALL void *work(void *argument) {
  count();
  long sum = leaf((long)argument) + leaf(2);
  USED(sum);
  return (void *)sum;
}
int main(int argc, char **argv) {
  enum { together = 4 };
  int threads = argc > 1 ? atoi(argv[1]) : 12, started = 0;
  while (started < threads) {
    pthread_t ids[together];
    int some = threads - started < together ? threads - started : together;
    for (int i = 0; i < some; i++)
      if (pthread_create(&ids[i], NULL, work, (void *)(long)(started + i)) != 0) return 3;
    for (int i = 0; i < some; i++) pthread_join(ids[i], NULL);
    started += some;
  }
  printf("%ld calls\n", calls);
  return 0;
}
