// Throws through 100 frames, in several threads, over and over.
#include "target.h"
#include <pthread.h>
CALL int descend(int depth) {
  if (depth == 0) throw 7;
  int below = descend(depth - 1);
  USED(below);
  return below + 1;
}
CALL int attempt(int depth) {
  try {
    return descend(depth);
  } catch (int value) {
    return value;
  }
}
CALL void *work(void *argument) {
  long sum = 0;
  for (int i = 0; i < 5; i++) sum += attempt((int)(long)argument);
  return (void *)sum;
}
int main() {
  pthread_t threads[3];
  for (long i = 0; i < 3; i++) pthread_create(&threads[i], nullptr, work, (void *)(20 + 40 * i));
  for (pthread_t thread : threads) {
    void *sum;
    pthread_join(thread, &sum);
    printf("%ld\n", (long)sum);
  }
}
