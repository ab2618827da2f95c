// Functions whose durations are the same in every call but for noise: a leaf, and a caller of 200 calls that do nothing.
#include "target.h"

CALL void step(long n) { (void)n; }

CALL void leaf(void) {
  for (long turn = 0; turn < 3000; turn++) __asm__ volatile("");
}

CALL void caller(void) {
  for (long n = 0; n < 200; n++) step(n);
}

int main(void) {
  for (int i = 0; i < 20; i++) {
    leaf();
    caller();
  }
  return 0;
}
