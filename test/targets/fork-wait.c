// The child runs the same functions, with breakpoints in its copy of the text and frames whose returns were hooked.
#include "target.h"
#include <sys/wait.h>
#include <unistd.h>
CALL int work(int n) {
  int sum = n < 2 ? n : work(n - 1) + work(n - 2);
  USED(sum);
  return sum;
}
CALL int in_child(int n) {
  pid_t pid = fork();
  if (pid == 0) _exit(work(n));
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
CALL int returns_in_child(void) {
  int status;
  pid_t pid = fork();
  if (pid > 0) waitpid(pid, &status, 0);
  return pid == 0 ? 0 : WIFEXITED(status) ? 100 + WEXITSTATUS(status) : -WTERMSIG(status);
}
int main(void) {
  int first = in_child(6);
  int second = returns_in_child();
  if (second == 0) _exit(work(5));
  printf("%d %d %d\n", first, second, work(4));
  return 0;
}
