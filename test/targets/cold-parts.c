// Functions of which the compiler has put the unlikely half elsewhere, as NAME.cold: that part is entered by a jump.
#include "target.h"
__attribute__((cold)) CALL int complain(int n) { return printf("unlikely %d\n", n); }
CALL int usual(int n) { return n + 1; }
CALL int checked(int n) {
  if (__builtin_expect(n < 0, 0)) {
    complain(n);
    for (int i = 0; i < 2; i++) complain(usual(i + n));
    return complain(n) + 1;
  }
  return usual(n);
}
CALL int twice_checked(int n) {
  int first = checked(n);
  if (__builtin_expect(first > 100, 0)) return complain(first) + complain(usual(first)) + checked(-first);
  return first + checked(n + 1);
}
int main(void) {
  for (int n = -2; n < 3; n++) printf("%d\n", twice_checked(n));
  printf("%d\n", twice_checked(200));
  return 0;
}
