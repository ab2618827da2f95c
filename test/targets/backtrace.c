// Walks its own stack: the frames must be there as without a tracer.
#include "target.h"
#include <execinfo.h>
#include <unwind.h>
CALL int frames(void) {
  void *addresses[40];
  int count = backtrace(addresses, 40);
  return count;
}
CALL int own_return_address(void *caller) {
  char *address = __builtin_return_address(0);
  return address > (char *)caller && address < (char *)caller + 200;
}
CALL int level(int n) {
  int result = n == 0 ? frames() : level(n - 1);
  USED(result);
  return result;
}
CALL int asks(void) {
  int result = own_return_address((void *)asks);
  USED(result);
  return result;
}
int main(void) {
  int base = frames();
  printf("%d %d %d\n", level(0) - base, level(5) - base, asks());
  return 0;
}
