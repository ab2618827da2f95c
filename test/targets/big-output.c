// A megabyte on stdout: nothing may be lost or reordered on its way.
#include "target.h"
CALL void block(int n) {
  char text[1024];
  memset(text, 'a' + n % 26, sizeof text);
  text[1023] = '\n';
  fwrite(text, 1, sizeof text, stdout);
}
int main(void) {
  for (int i = 0; i < 1024; i++) block(i);
  return 0;
}
