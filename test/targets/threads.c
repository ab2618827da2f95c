#include "target.h"
#include <pthread.h>
CALL int step(int n) {
  USED(n);
  return n + 1;
}
CALL int walk(int id, int n) {
  int value = n == 0 ? id : walk(id, n - 1);
  USED(value);
  return step(value);
}
CALL void *work(void *argument) {
  long id = (long)argument;
  long sum = 0;
  for (int i = 0; i < 10 * (int)id; i++) sum += walk((int)id, (int)id);
  return (void *)sum;
}
int main(void) {
  pthread_t threads[5];
  for (long id = 0; id < 5; id++) pthread_create(&threads[id], NULL, work, (void *)(id + 1));
  for (int id = 0; id < 5; id++) {
    void *sum;
    pthread_join(threads[id], &sum);
    printf("%d %ld\n", id, (long)sum);
  }
  return 0;
}
