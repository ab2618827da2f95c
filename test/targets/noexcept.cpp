// An exception that comes to a function which may throw none: std::terminate, in the middle of calls.
#include "target.h"
#include <exception>
CALL void at_terminate() {
  puts("terminating");
  fflush(stdout);
  _Exit(6);
}
CALL void throws(int n) {
  if (n == 0) throw 1;
  throws(n - 1);
  puts("not reached");
}
CALL void promises() noexcept {
  throws(2);
  puts("not reached");
}
int main() {
  std::set_terminate(at_terminate);
  puts("begin");
  fflush(stdout);
  promises();
}
