// Twice: something before, something between, something after.
#include "target.h"
CALL int step(int n) {
  USED(n);
  return n + 1;
}
CALL int before(int n) { return step(n) + 1; }
CALL int begin_work(int n) { return step(n) * 2; }
CALL int work(int n) { return step(step(n)) + 1; }
CALL int end_work(int n) { return step(n) * 3; }
int main(void) {
  int n = 0;
  for (int turn = 0; turn < 2; turn++) {
    n = before(n);
    n = begin_work(n);
    n = work(n);
    n = end_work(n);
  }
  printf("%d\n", n);
  return 0;
}
