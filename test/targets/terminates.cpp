// An exception that nobody catches: std::terminate, SIGABRT.
#include "target.h"
#include <exception>
CALL void at_terminate() {
  puts("terminating");
  fflush(stdout);
  abort();
}
CALL void throws() { throw 1; }
CALL void passes() {
  throws();
  puts("not reached");
}
int main() {
  std::set_terminate(at_terminate);
  passes();
}
