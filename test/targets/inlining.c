// At -O2 the small functions vanish into their callers; what remains must nest as if they had never been.
#include "target.h"
static inline __attribute__((always_inline)) int square(int n) { return n * n; }
CALL int kept(int n) { return n + 3; }
static inline __attribute__((always_inline)) int through(int n) { return kept(n) + square(n); }
CALL int outer(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += through(i);
  return sum;
}
int main(void) {
  printf("%d %d\n", outer(4), through(5));
  return 0;
}
