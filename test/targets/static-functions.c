#include "target.h"
static CALL int hidden(int n) { return n + 1; }
static CALL int also_hidden(int n) { return hidden(n) + hidden(n + 1); }
CALL int visible(int n) { return also_hidden(n) * 2; }
__attribute__((visibility("hidden"))) CALL int not_exported(int n) { return visible(n) - 1; }
__attribute__((weak)) CALL int weak(int n) { return not_exported(n) + 1; }
int main(void) {
  printf("%d\n", weak(3) + visible(2));
  return 0;
}
