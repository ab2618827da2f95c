#include "target.h"
template <class T> CALL T largest(T a, T b) { return a < b ? b : a; }
template <int N> struct power {
  CALL static long of(long n) { return n * power<N - 1>::of(n); }
};
template <> struct power<0> {
  CALL static long of(long) { return 1; }
};
template <class... T> CALL int count(T...) { return sizeof...(T); }
template <class T> struct box {
  T value;
  template <class U> __attribute__((noinline)) U as() const { return (U)value; }
};
int main() {
  box<double> b{2.75};
  printf("%d %.1f %c %ld %d %d %ld\n", largest(1, 2), largest(1.5, 0.5), largest('a', 'b'), power<5>::of(2),
         count(1, 'x', 2.0), b.as<int>(), box<int>{7}.as<long>());
}
