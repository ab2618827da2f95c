// Megabytes of text between functions that call each other. Build with -fno-toplevel-reorder.
#include "target.h"
CALL int last(int n);
CALL int first(int n) { return last(n) + 1; }
__asm__(".text\n.fill 2500000, 1, 0xcc\n");
CALL int middle(int n) { return n * 3; }
__asm__(".text\n.fill 2500000, 1, 0xcc\n");
CALL int last(int n) { return middle(n) + 2; }
int main(void) {
  printf("%d\n", first(5));
  return 0;
}
