// Threads that end in the middle of their calls: pthread_exit, cancellation, and cleanup handlers that run then.
#include "target.h"
#include <pthread.h>
#include <unistd.h>
static volatile int ready;
CALL void cleanup(void *text) { printf("cleanup %s\n", (char *)text); }
CALL void leave(long value) { pthread_exit((void *)value); }
CALL void deeper(long value) {
  leave(value);
  puts("not reached");
}
CALL void *exits(void *argument) {
  deeper((long)argument);
  return NULL;
}
CALL void wait_forever(void) {
  ready = 1;
  for (;;) pause();
}
CALL void *is_cancelled(void *argument) {
  pthread_cleanup_push(cleanup, argument);
  wait_forever();
  pthread_cleanup_pop(0);
  return NULL;
}
int main(void) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, NULL, exits, (void *)42L);
  pthread_join(thread, &result);
  printf("%ld\n", (long)result);
  pthread_create(&thread, NULL, is_cancelled, "cancelled");
  while (!ready) usleep(100);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("%d\n", result == PTHREAD_CANCELED);
  return 0;
}
