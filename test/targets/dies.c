// Dies of a signal that it is told: abort, segv, kill, term, fpe.
#include "target.h"
#include <signal.h>
#include <sys/resource.h>
static volatile int zero;
CALL void die(const char *how) {
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "segv")) *(volatile int *)16 = 1;
  if (!strcmp(how, "kill")) raise(SIGKILL);
  if (!strcmp(how, "term")) raise(SIGTERM);
  if (!strcmp(how, "fpe")) zero = (int)strlen(how) / zero;
}
CALL void level(int n, const char *how) {
  if (n == 0) die(how);
  else level(n - 1, how);
  puts("not reached");
}
int main(int argc, char **argv) {
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  puts("begin");
  fflush(stdout);
  level(2, argc > 1 ? argv[1] : "abort");
  return 0;
}
