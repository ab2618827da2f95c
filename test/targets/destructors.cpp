#include "target.h"
struct noisy {
  CALL noisy(const char *name) : name(name) { printf("+%s\n", name); }
  CALL ~noisy() { printf("-%s\n", name); }
  const char *name;
};
static noisy global("global");
CALL int early(int n) {
  noisy outer("outer");
  if (n == 0) return 1;
  noisy inner("inner");
  return 2;
}
CALL int lazily() {
  static noisy once("once");
  return once.name[0];
}
int main() {
  noisy *heap = new noisy("heap");
  int sum = early(0) + early(1) + lazily() + lazily();
  delete heap;
  printf("%d\n", sum);
}
