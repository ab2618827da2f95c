// An IFUNC of the program's own: the symbol's address is the resolver's; calls go to the implementation.
#include "target.h"
static CALL int compute_slow(int n) { return n + 1; }
static CALL int compute_fast(int n) { return n * 2; }
typedef int (*implementation)(int);
NOT_INSTRUMENTED static implementation not_instrumented_resolver(void) {
  return sizeof(void *) == 8 ? compute_fast : compute_slow;
}
int compute(int n) __attribute__((ifunc("not_instrumented_resolver")));
CALL int use(int n) { return compute(n) + compute(n + 1); }
int main(void) {
  printf("%d %d\n", use(3), compute_slow(4));
  return 0;
}
