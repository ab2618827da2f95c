// A child throws through frames of its own, and through those that it has from its parent, who throws as well.
#include "target.h"
#include <sys/wait.h>
#include <unistd.h>
CALL int risky(int n) {
  if (n % 2) throw n;
  return n;
}
CALL int careful(int n) {
  try {
    return risky(n);
  } catch (int thrown) {
    return thrown * 10;
  }
}
CALL int fork_inside(int n, bool *is_child) {
  pid_t pid = fork();
  if (pid == 0) {
    *is_child = true;
    int sum = careful(n) + careful(n + 1);
    if (sum > 0) throw sum;
  }
  int status;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
CALL int outer(int n) {
  bool is_child = false;
  int result;
  try {
    result = fork_inside(n, &is_child);
  } catch (int sum) {
    result = sum;
  }
  if (is_child) _exit(result);
  return result;
}
int main() {
  for (int n = 1; n <= 4; n++) {
    int by_child = outer(n);
    printf("%d %d\n", by_child, careful(n));
  }
  return 0;
}
