// Threads that fork while others run; the children have one thread, and fork again.
#include "target.h"
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
CALL int work(int n) {
  int sum = n < 2 ? n : work(n - 1) + work(n - 2);
  USED(sum);
  return sum;
}
CALL int in_child(int n, int generations) {
  int status;
  pid_t pid = fork();
  if (pid == 0) _exit(work(n) + (generations > 1 ? in_child(n, generations - 1) : 0));
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
CALL void *forks(void *argument) { return (void *)(long)in_child((int)(long)argument, 2); }
int main(void) {
  pthread_t threads[3];
  for (long i = 0; i < 3; i++) pthread_create(&threads[i], NULL, forks, (void *)(i + 4));
  for (int i = 0; i < 3; i++) {
    void *sum;
    pthread_join(threads[i], &sum);
    printf("%ld\n", (long)sum);
  }
  return 0;
}
