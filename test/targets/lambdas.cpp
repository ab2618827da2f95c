#include "target.h"
template <class F> CALL int apply(F f, int n) { return f(n) + f(n + 1); }
CALL int by_pointer(int (*f)(int), int n) { return f(n); }
CALL int captures(int base) {
  auto add = [base](int n) CALL { return base + n; };
  auto nested = [&](int n) CALL { return apply(add, n); };
  return nested(1) + apply(nested, 2);
}
int main() {
  auto generic = [](auto n) CALL { return n * 2; };
  printf("%d %d %d %d\n", captures(10), by_pointer([](int n) CALL { return n - 1; }, 5), generic(4),
         (int)generic(2.5));
}
