// Calls into libc by every road: PLT or GOT, IFUNC symbols, a function pointer, a tail call. Build with -fno-builtin.
#include "target.h"
typedef size_t (*measure)(const char *);
static volatile measure by_pointer = strlen;
CALL char *copy(const char *text) {
  size_t length = strlen(text);
  char *result = malloc(length + 1);
  memcpy(result, text, length + 1);
  return result;
}
CALL int tail_call(int n) {
  USED(n);
  return abs(n);
}
int main(void) {
  size_t total = 0;
  for (int i = 0; i < 4; i++) {
    char *text = copy("some text");
    total += by_pointer(text) + tail_call(-7);
    free(text);
  }
  printf("%zu\n", total);
  return 0;
}
