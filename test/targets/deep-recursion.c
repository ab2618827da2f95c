// Recursion to a depth, with pauses of so many milliseconds in between: beyond 64 pending hooked returns the kernel
// reports no more of them.
#include <unistd.h>

#include "target.h"
CALL int descend(int depth) {
  if (depth == 1) return 1;
  int below = descend(depth - 1);
  USED(below);
  return below + 1;
}
CALL int leaf(int n) { return n + 1; }
int main(int argc, char **argv) {
  int depth = argc > 1 ? atoi(argv[1]) : 50;
  int pause_ms = argc > 2 ? atoi(argv[2]) : 0;
  for (int round = 0; round < 3; round++) {
    printf("%d %d\n", descend(depth), leaf(round));
    if (pause_ms > 0) usleep(pause_ms * 1000);
  }
  return 0;
}
