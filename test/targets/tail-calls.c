// A chain of 128 tail calls: at -O2 the last function's `ret` ends them all.
#include "target.h"
#define LINK(this, next) \
  CALL long link_##next(long n); \
  CALL long link_##this(long n) { return link_##next(n + 1); }
#define LINKS8(a, b, c, d, e, f, g, h, next) \
  LINK(a, b) LINK(b, c) LINK(c, d) LINK(d, e) LINK(e, f) LINK(f, g) LINK(g, h) LINK(h, next)
#define BLOCK(x, next) LINKS8(x##0, x##1, x##2, x##3, x##4, x##5, x##6, x##7, next##0)
BLOCK(a, b) BLOCK(b, c) BLOCK(c, d) BLOCK(d, e) BLOCK(e, f) BLOCK(f, g) BLOCK(g, h) BLOCK(h, i)
BLOCK(i, j) BLOCK(j, k) BLOCK(k, l) BLOCK(l, m) BLOCK(m, n) BLOCK(n, o) BLOCK(o, p) BLOCK(p, q)
// Clang would leave a call out that does nothing.
CALL long link_q0(long n) {
  USED(n);
  return n;
}
CALL long around(long n) { return link_a0(n) + link_p0(n); }
int main(void) {
  for (int i = 0; i < 3; i++) printf("%ld\n", around(i));
  return 0;
}
