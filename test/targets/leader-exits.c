// The first thread ends long before the last one.
#include "target.h"
#include <pthread.h>
#include <unistd.h>
CALL int work(int n) {
  int sum = n < 2 ? n : work(n - 1) + work(n - 2);
  USED(sum);
  return sum;
}
CALL void *run(void *argument) {
  usleep(20000);
  for (int i = 0; i < 5; i++) printf("%d\n", work(i + (int)(long)argument));
  return NULL;
}
CALL void leave(void) { pthread_exit(NULL); }
int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, run, (void *)3L);
  pthread_detach(thread);
  leave();
  return 1;
}
