// Ends by quick_exit in the middle of calls; its handlers run inside them, the destructors do not.
#include "target.h"
CALL void first(void) {
  puts("first");
  fflush(stdout);
}
CALL void second(void) { puts("second"); }
__attribute__((destructor)) CALL void not_run(void) { puts("not reached"); }
CALL void level(int n) {
  if (n == 0) quick_exit(7);
  level(n - 1);
  puts("not reached");
}
int main(void) {
  at_quick_exit(first);
  at_quick_exit(second);
  level(2);
}
