// Destructors that run while an exception is on its way: they call, and they throw and catch on their own.
#include "target.h"
#include <exception>
CALL int helper(int n) {
  if (n > 2) throw n;
  return n + std::uncaught_exceptions();
}
struct calls {
  int n;
  CALL explicit calls(int n) : n(n) {}
  CALL ~calls() { printf("calls %d\n", helper(n % 3)); }
};
struct catches {
  CALL ~catches() {
    try {
      helper(3);
    } catch (int value) {
      printf("caught %d inside, %d on its way\n", value, std::uncaught_exceptions());
    }
  }
};
// A function of its own for each depth: the oracle tells calls that were unwound by their callers' names.
template <int Depth> CALL void descend() {
  calls first(Depth);
  catches second;
  if constexpr (Depth == 0) throw 1.5;
  else descend<Depth - 1>();
  puts("not reached");
}
template <int Depth> CALL int attempt() {
  try {
    descend<Depth>();
  } catch (double value) {
    return helper((int)value);
  }
  return 0;
}
int main() { printf("%d %d %d\n", attempt<0>(), attempt<1>(), attempt<3>()); }
