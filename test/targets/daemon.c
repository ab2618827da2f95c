// Becomes a daemon in the middle of its calls: the process that was started ends, its child goes on.
#define _DEFAULT_SOURCE
#include "target.h"
#include <unistd.h>
CALL int before(int n) { return n + 1; }
CALL int after(int n) { return n * 2; }
CALL void become_daemon(void) {
  if (daemon(1, 1) != 0) puts("failed");
}
int main(void) {
  printf("%d\n", before(1));
  fflush(stdout);
  become_daemon();
  usleep(20000);
  printf("%d\n", after(4));
  return 3;
}
