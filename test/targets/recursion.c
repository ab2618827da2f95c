// A compiler turns self-recursion into loops where it may: USED keeps the calls.
#include "target.h"
CALL int fibonacci(int n) {
  int sum = n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
  USED(sum);
  return sum;
}
CALL long factorial(int n) {
  long below = n < 2 ? 1 : factorial(n - 1);
  USED(below);
  return n * below;
}
CALL int ackermann(int m, int n) {
  int value = m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
  USED(value);
  return value;
}
int main(void) {
  printf("%d %ld %d\n", fibonacci(10), factorial(12), ackermann(2, 2));
  return 0;
}
