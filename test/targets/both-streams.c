#include "target.h"
CALL void say(FILE *stream, int n) { fprintf(stream, "line %d\n", n); }
int main(void) {
  for (int i = 0; i < 20; i++) say(i % 2 ? stderr : stdout, i);
  return 0;
}
