// vfork under system() and by hand: the child borrows the parent's stack.
#include "target.h"
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
CALL int prepare(int n) { return n + 1; }
CALL int by_vfork(void) {
  int status;
  pid_t pid = vfork();
  if (pid == 0) {
    execl("/bin/true", "true", NULL);
    _exit(9);
  }
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}
CALL int by_spawn(void) {
  char *arguments[] = {"false", NULL};
  pid_t pid;
  int status;
  posix_spawn(&pid, "/bin/false", NULL, NULL, arguments, environ);
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}
CALL int by_system(void) { return WEXITSTATUS(system("exit 6")); }
int main(void) {
  printf("%d %d %d %d\n", prepare(1), by_vfork(), by_spawn(), by_system());
  return 0;
}
