// Runs a command as its child, and tells how often the child was stopped and continued meanwhile.
#include "target.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
  int stopped = 0, continued = 0;
  pid_t child = fork();
  if (child == 0) {
    execv(argv[1], argv + 1);
    _exit(127);
  }
  for (int status; waitpid(child, &status, WUNTRACED | WCONTINUED) == child;) {
    if (WIFSTOPPED(status)) stopped++;
    else if (WIFCONTINUED(status)) continued++;
    else return printf("%d stopped, %d continued, status %d\n", stopped, continued, status) < 0;
  }
  return 1;
}
