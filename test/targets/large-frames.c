// Frames of a megabyte: calls of one stack that lie far apart.
#include "target.h"
enum { frame_bytes = 1 << 20 };
CALL int leaf(const char *bytes) { return bytes[0] + bytes[frame_bytes - 1]; }
CALL int level(int n) {
  char bytes[frame_bytes];
  USED(n);
  bytes[0] = (char)n;
  bytes[frame_bytes - 1] = 1;
  int below = n == 0 ? 0 : level(n - 1);
  USED(below);
  return below + leaf(bytes);
}
CALL int small(int n) { return n + 1; }
int main(void) {
  for (int i = 0; i < 3; i++) printf("%d %d\n", level(i + 2), small(i));
  return 0;
}
