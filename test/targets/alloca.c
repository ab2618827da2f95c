// Frames whose size is known at run time only: alloca, arrays of variable length, and calls in the middle of them.
#include "target.h"
#include <alloca.h>
CALL int sum(const unsigned char *bytes, int count) {
  int total = 0;
  for (int i = 0; i < count; i++) total += bytes[i];
  return total;
}
CALL int by_alloca(int count) {
  int total = 0;
  for (int i = 1; i <= 3; i++) {
    unsigned char *bytes = alloca(count * i);
    memset(bytes, i, count * i);
    total += sum(bytes, count * i);
  }
  return total;
}
CALL int by_array(int count) {
  unsigned char bytes[count];
  memset(bytes, 2, count);
  int below = count > 1000 ? by_array(count / 3) : by_alloca(count);
  USED(below);
  return below + sum(bytes, count);
}
int main(void) {
  for (int i = 0; i < 4; i++) printf("%d\n", by_array(10 + 9000 * i));
  return 0;
}
