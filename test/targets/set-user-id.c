// Executes, as nobody, a copy of itself that runs with the rights of its owner: a tracer has to leave that alone.
#define _GNU_SOURCE
#include "target.h"
#include <fcntl.h>
#include <grp.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
CALL int work(int n) { return n + 1; }
CALL void become(int image) {
  char *arguments[] = {"set-user-id", "image", NULL};
  if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(9);
  fexecve(image, arguments, environ);
  _exit(8);
}
CALL int as_nobody(const char *path) {
  int status, image = open(path, O_RDONLY | O_CLOEXEC);
  pid_t pid = fork();
  if (pid == 0) become(image);
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
int main(int argc, char **argv) {
  char path[4096];
  if (argc > 1 && !strcmp(argv[1], "image")) {
    printf("user %d, effective %d, secure %ld\n", getuid(), geteuid(), getauxval(AT_SECURE));
    return work(4);
  }
  snprintf(path, sizeof path, "%s.owned", argv[0]);
  printf("%d\n", as_nobody(path));
  return 0;
}
