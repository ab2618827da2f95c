// The program calls a.so, that calls b.so, and that calls back into the program.
#include "target.h"
int a_twice(int (*callback)(int), int n);
int b_direct(int n);
CALL int callback(int n) { return n + 1; }
CALL int run(int n) { return a_twice(callback, n) + b_direct(n); }
int main(void) {
  printf("%d %d\n", run(1), run(2));
  return 0;
}
