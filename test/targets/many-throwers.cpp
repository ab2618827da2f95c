// Many threads that throw and catch at once, through a destructor.
#include "target.h"
#include <pthread.h>
static __thread int cleaned;
struct guard {
  CALL ~guard() { cleaned++; }
};
CALL static int inner(int n) {
  if (n % 20 == 0) throw n;
  return n + 1;
}
CALL static int middle(int n) {
  guard end;
  return inner(n) + 1;
}
CALL static int outer(int n) {
  try {
    return middle(n);
  } catch (int) {
    return 0;
  }
}
CALL static void *work(void *argument) {
  long rounds = (long)argument, caught = 0;
  for (int n = 0; n < rounds; n++) caught += outer(n) == 0;
  return (void *)(caught + cleaned);
}
int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 4, rounds = argc > 2 ? atol(argv[2]) : 100, sum = 0;
  pthread_t *threads = (pthread_t *)calloc(count, sizeof(pthread_t));
  for (long i = 0; i < count; i++) pthread_create(&threads[i], nullptr, work, (void *)rounds);
  for (long i = 0; i < count; i++) {
    void *result;
    pthread_join(threads[i], &result);
    sum += (long)result;
  }
  free(threads);
  printf("%ld\n", sum);
}
