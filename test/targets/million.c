// A tight loop of as many calls as it is told (default a million).
#include "target.h"
CALL long tiny(long n) {
  USED(n);
  return n + 1;
}
int main(int argc, char **argv) {
  long n = 0, count = argc > 1 ? atol(argv[1]) : 1000000;
  while (n < count) n = tiny(n);
  printf("%ld\n", n);
  return 0;
}
