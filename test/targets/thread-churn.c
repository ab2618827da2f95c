// Threads that come and go, some while others run.
#include "target.h"
#include <pthread.h>
CALL long inner(long n) { return n * n; }
CALL void *work(void *argument) { return (void *)inner((long)argument); }
CALL long pair(long n) {
  pthread_t a, b;
  void *x, *y;
  pthread_create(&a, NULL, work, (void *)n);
  pthread_create(&b, NULL, work, (void *)(n + 1));
  pthread_join(a, &x);
  pthread_join(b, &y);
  return (long)x + (long)y;
}
int main(void) {
  long sum = 0;
  for (long i = 0; i < 20; i++) sum += pair(i);
  printf("%ld\n", sum);
  return 0;
}
