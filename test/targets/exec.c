// Replaces itself in the middle of a call.
#include "target.h"
#include <unistd.h>
CALL int before(int n) { return n + 1; }
CALL void replace(void) {
  execl("/bin/echo", "echo", "replaced", NULL);
  puts("not reached");
}
int main(void) {
  printf("%d\n", before(1));
  fflush(stdout);
  replace();
  return 1;
}
