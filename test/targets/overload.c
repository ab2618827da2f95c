// `overload THREADS CALLS`: each thread calls as fast as it can, and counts what it does.
#include "target.h"
#include <pthread.h>
static long calls;
CALL long hot(long n) {
  USED(n);
  return n + 1;
}
CALL void *work(void *count) {
  long made = 0;
  while (made < calls) made = hot(made);
  *(long *)count = made;
  return NULL;
}
int main(int argc, char **argv) {
  pthread_t threads[16];
  long counts[16] = {0}, sum = 0;
  int number = argc > 1 ? atoi(argv[1]) : 1;
  calls = argc > 2 ? atol(argv[2]) : 1000;
  for (int i = 0; i < number; i++) pthread_create(&threads[i], NULL, work, &counts[i]);
  for (int i = 0; i < number; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < number; i++) sum += counts[i];
  printf("%ld\n", sum);
  return 0;
}
