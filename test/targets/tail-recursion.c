// Two functions that tail-call each other 400 times in one stack frame.
#include "target.h"
CALL long pong(long n, long sum);
CALL long ping(long n, long sum) { return n == 0 ? sum : pong(n - 1, sum + n); }
CALL long pong(long n, long sum) { return n == 0 ? sum : ping(n - 1, sum - 1); }
int main(void) {
  printf("%ld %ld\n", ping(40, 0), ping(400, 0));
  return 0;
}
