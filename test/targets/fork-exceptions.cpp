// A process and its children throw at the same time: what is probed in one is probed in the others, with its own fate.
#include "target.h"
#include <sys/wait.h>
#include <unistd.h>
struct guard {
  int &count;
  CALL ~guard() { count++; }
};
CALL int risky(int n, int &count) {
  guard g{count};
  if (n % 2) throw n;
  return n;
}
CALL int attempt(int n, int &count) {
  try {
    guard g{count};
    return risky(n, count);
  } catch (int value) {
    return value;
  }
}
CALL int work(int rounds) {
  int count = 0;
  for (int n = 0; n < rounds; n++) attempt(n, count);
  return count;
}
int main() {
  pid_t children[3];
  for (pid_t &child : children) {
    child = fork();
    if (child == 0) _exit(work(20));
  }
  printf("%d\n", work(20));
  for (pid_t child : children) {
    int status;
    waitpid(child, &status, 0);
    printf("%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
  }
}
