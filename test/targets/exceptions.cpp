// Throws across frames, rethrows, catches by type, unwinds through destructors and through frames that catch nothing.
#include "target.h"
#include <stdexcept>
struct guard {
  CALL guard(int n) : n(n) {}
  CALL ~guard() { printf("unwind %d\n", n); }
  int n;
};
CALL int risky(int n) {
  guard g(n);
  if (n % 3 == 0) throw n;
  if (n % 3 == 1) throw std::runtime_error("runtime");
  return n;
}
CALL int passes(int n) {
  int value = risky(n);
  USED(value);
  return value + 1;
}
CALL int rethrows(int n) {
  try {
    return passes(n);
  } catch (int) {
    puts("rethrow");
    throw;
  }
}
CALL int catches(int n) {
  guard g(100 + n);
  try {
    return rethrows(n);
  } catch (const std::exception &e) {
    printf("caught %s\n", e.what());
    return -1;
  } catch (int value) {
    return -value;
  }
}
CALL int nested(int n) {
  try {
    throw 1.5;
  } catch (double) {
    return catches(n) + catches(n + 1);
  }
}
int main() {
  for (int n = 0; n < 7; n++) printf("%d\n", catches(n));
  printf("%d\n", nested(2));
}
