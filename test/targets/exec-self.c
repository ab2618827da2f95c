// Replaces itself by itself, three times: the same file, at other addresses, and with more below it on the stack each time.
#include "target.h"
#include <unistd.h>
CALL int work(int n) { return n * n; }
static const char padding[] = "----------------------------------------------------------------------------------------------------";
CALL void again(int n) {
  char text[12];
  snprintf(text, sizeof text, "%d", n);
  execl("/proc/self/exe", "exec-self", text, padding + sizeof padding - 1 - 32 * n, NULL);
  puts("not reached");
}
int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 0;
  printf("%d\n", work(n));
  fflush(stdout);
  if (n < 3) again(n + 1);
  return 6;
}
