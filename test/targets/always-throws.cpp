// A function that is called for its exceptions only.
#include "target.h"
CALL void thrower(int n) { throw n; }
int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 10, caught = 0;
  for (int n = 0; n < rounds; n++) {
    try {
      thrower(n);
    } catch (int) {
      caught++;
    }
  }
  printf("%d caught\n", caught);
}
