// Ends the process in the middle of its calls; the handlers registered with atexit run inside them.
#include "target.h"
#include <unistd.h>
CALL void at_end(void) { puts("at end"); }
CALL void leave(int immediately) {
  if (immediately) _exit(5);
  exit(4);
}
CALL void level(int n, int immediately) {
  if (n == 0) leave(immediately);
  level(n - 1, immediately);
  puts("not reached");
}
int main(int argc, char **argv) {
  (void)argv;
  atexit(at_end);
  puts("begin");
  fflush(stdout);
  level(3, argc > 1);
  return 0;
}
