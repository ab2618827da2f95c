// What a program gets from whoever starts it: all of it must be as a shell would give it.
#define _GNU_SOURCE
#include "target.h"
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <unistd.h>
extern char **environ;
CALL void descriptors(void) {
  for (int fd = 0; fd < 1024; fd++) {
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0) printf("fd %d %x\n", fd, flags & (O_ACCMODE | O_NONBLOCK | O_APPEND));
  }
}
CALL void signals(void) {
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  for (int number = 1; number < 65; number++) {
    struct sigaction action;
    if (sigismember(&mask, number)) printf("blocked %d\n", number);
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) printf("ignored %d\n", number);
  }
}
CALL void limits(void) {
  for (int i = 0; i < RLIM_NLIMITS; i++) {
    struct rlimit limit;
    getrlimit(i, &limit);
    printf("limit %d %lx %lx\n", i, (long)limit.rlim_cur, (long)limit.rlim_max);
  }
}
CALL int alphabetically(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
CALL void surroundings(const char *name) {
  char folder[4096];
  int death = 0;
  prctl(PR_GET_PDEATHSIG, &death);
  printf("%s %s %d %d %d %d\n", name, getcwd(folder, sizeof folder), getuid(), getgid(), nice(0), death);
  printf("dumpable %d no-new-privileges %d scheduler %d umask %o\n", prctl(PR_GET_DUMPABLE),
         prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), sched_getscheduler(0), umask(0));
  // Their order is no matter: a shell that exports variables shuffles them.
  size_t count = 0;
  while (environ[count]) count++;
  qsort(environ, count, sizeof *environ, alphabetically);
  for (size_t i = 0; i < count; i++) puts(environ[i]);
}
int main(int argc, char **argv) {
  (void)argc;
  descriptors();
  signals();
  limits();
  surroundings(argv[0]);
  return 0;
}
