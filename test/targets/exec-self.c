// Replaces itself by itself, three times: the same file, at other addresses.
#include "target.h"
#include <unistd.h>
CALL int work(int n) { return n * n; }
CALL void again(int n) {
  char text[12];
  snprintf(text, sizeof text, "%d", n);
  execl("/proc/self/exe", "exec-self", text, NULL);
  puts("not reached");
}
int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 0;
  printf("%d\n", work(n));
  fflush(stdout);
  if (n < 3) again(n + 1);
  return 6;
}
