#include "target.h"
struct small { int a, b; };
struct mixed { double x; long n; };
struct big { long values[20]; };
CALL struct small make_small(int n) { return (struct small){n, n + 1}; }
CALL struct mixed make_mixed(int n) { return (struct mixed){n / 2.0, n * 2}; }
CALL struct big make_big(int n) {
  struct big result;
  for (int i = 0; i < 20; i++) result.values[i] = n * i;
  return result;
}
CALL long total(struct big b, struct small s, struct mixed m) { return b.values[19] + s.b + m.n + (long)(m.x * 4); }
int main(void) {
  for (int i = 0; i < 4; i++) printf("%ld\n", total(make_big(i), make_small(i), make_mixed(i)));
  return 0;
}
