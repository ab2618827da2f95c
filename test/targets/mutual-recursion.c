#include "target.h"
CALL int is_odd(int n);
CALL int is_even(int n) {
  int odd = n == 0 ? -1 : is_odd(n - 1);
  return odd == -1 ? 1 : odd;
}
CALL int is_odd(int n) { return n == 0 ? 0 : is_even(n - 1); }
CALL int hofstadter_m(int n);
CALL int hofstadter_f(int n) { return n == 0 ? 1 : n - hofstadter_m(hofstadter_f(n - 1)); }
CALL int hofstadter_m(int n) { return n == 0 ? 0 : n - hofstadter_f(hofstadter_m(n - 1)); }
int main(void) {
  printf("%d %d\n", is_even(20), is_odd(20));
  for (int i = 0; i < 7; i++) printf("%d ", hofstadter_f(i));
  puts("");
  return 0;
}
