// Objects of threads: made at first use, destroyed when their thread ends, after its last call.
#include "target.h"
#include <pthread.h>
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int made, destroyed;
CALL void count(int &counter) {
  pthread_mutex_lock(&turn);
  counter++;
  pthread_mutex_unlock(&turn);
}
struct counted {
  int uses = 0;
  CALL counted() { count(made); }
  CALL ~counted() { count(destroyed); }
  CALL int use() { return ++uses; }
};
static thread_local counted own;
CALL void *run(void *argument) {
  long sum = 0;
  for (long i = 0; i < (long)argument; i++) sum += own.use();
  return (void *)sum;
}
int main() {
  pthread_t threads[4];
  for (long i = 0; i < 4; i++) pthread_create(&threads[i], nullptr, run, (void *)(i + 1));
  for (pthread_t thread : threads) {
    void *sum;
    pthread_join(thread, &sum);
    printf("%ld\n", (long)sum);
  }
  printf("%d %d\n", made, destroyed);
}
