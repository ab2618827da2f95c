// Calls of known length: 0, 3 and 30 ms and more.
#include "target.h"
#include <unistd.h>
CALL int quick(int n) { return n + 1; }
CALL void short_sleep(void) { usleep(3000); }
CALL void long_sleep(void) {
  quick(1);
  usleep(30000);
  short_sleep();
}
CALL void idle(void) {
  quick(2);
  long_sleep();
  quick(3);
}
int main(void) {
  idle();
  short_sleep();
  puts("slept");
  return 0;
}
