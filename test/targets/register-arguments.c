// Every place an argument or a result can be in: a probe must leave all of them alone, and the flags and red zone too.
#include "target.h"
#include <emmintrin.h>
CALL double eight_doubles(double a, double b, double c, double d, double e, double f, double g, double h) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h;
}
CALL long nine_integers(long a, long b, long c, long d, long e, long f, long g, long h, long i) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i;
}
CALL long double extended(long double a, long double b) { return a * b + 1.0L; }
CALL __int128 wide(__int128 a, long b) { return a * b + 1; }
CALL __m128d vectors(__m128d a, __m128d b) { return _mm_add_pd(a, b); }
CALL float mixed(float a, int b, double c, long d, float e) { return a + b + (float)c + d + e; }
CALL long red_zone(long n) {
  volatile long scratch[8];
  for (int i = 0; i < 8; i++) scratch[i] = n * i;
  return scratch[3] + scratch[7];
}
CALL _Complex double complex_product(_Complex double a, _Complex double b) { return a * b; }
int main(void) {
  __int128 product = wide((__int128)1 << 70, 3);
  double both[2];
  _mm_storeu_pd(both, vectors(_mm_set_pd(1.5, 2.5), _mm_set_pd(3, 4)));
  _Complex double p = complex_product(1.0 + 2.0i, 3.0 - 1.0i);
  printf("%.17g %ld %.20Lg\n", eight_doubles(.1, .2, .3, .4, .5, .6, .7, .8),
         nine_integers(1, 2, 3, 4, 5, 6, 7, 8, 9), extended(1.1L, 2.2L));
  printf("%lx %lx %g %g %.9g %ld %g %g\n", (long)(product >> 64), (long)product, both[0], both[1],
         mixed(1.5f, 2, 3.25, 4, 5.125f), red_zone(3), __real__ p, __imag__ p);
  return 0;
}
