// Several names at one address: one probe, one call.
#include "target.h"
CALL int original(int n) { return n + 1; }
int alias(int n) __attribute__((alias("original")));
int weak_alias(int n) __attribute__((weak, alias("original")));
static CALL int local_original(int n) { return original(n) * 2; }
int __global_alias_of_local(int n) __attribute__((alias("local_original")));
int main(void) {
  int sum = original(1);
  sum += alias(2);
  sum += weak_alias(3);
  sum += __global_alias_of_local(4);
  printf("%d\n", sum);
  return 0;
}
