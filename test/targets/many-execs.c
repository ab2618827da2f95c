// Runs itself anew as often as it is told, in one process; each image makes the same calls.
#include "target.h"
#include <unistd.h>
CALL int leaf(int n) { return n + 1; }
CALL int step(int n) { return leaf(n) + leaf(n + 1); }
int main(int argc, char **argv) {
  int left = argc > 1 ? atoi(argv[1]) : 3;
  int result = step(left);
  USED(result);
  if (left <= 1) return printf("done\n") != 5;
  char word[16];
  snprintf(word, sizeof word, "%d", left - 1);
  execl("/proc/self/exe", argv[0], word, (char *)NULL);
  return 9;
}
