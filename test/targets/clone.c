// clone(2) in its ways: as fork, with shared memory on a stack of its own, and as vfork.
#define _GNU_SOURCE
#include "target.h"
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
static char stack[262144] __attribute__((aligned(16)));
static int shared;
CALL int work(int n) { return n * 2; }
CALL int in_child(void *argument) {
  shared = work((int)(long)argument);
  _exit(shared);
}
CALL int by_clone(int flags, long n) {
  int status;
  shared = 0;
  pid_t pid = clone(in_child, stack + sizeof stack, flags | SIGCHLD, (void *)n);
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) * 100 + shared : -WTERMSIG(status);
}
int main(void) {
  printf("%d\n", by_clone(0, 3));
  printf("%d\n", by_clone(CLONE_VM, 4));
  printf("%d\n", by_clone(CLONE_VM | CLONE_VFORK, 5));
  printf("%d\n", work(6));
  return 0;
}
