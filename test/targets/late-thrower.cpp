// Once it is told to go on: throws a thousand times in a function, and then in another one.
#include "target.h"
struct guard {
  CALL ~guard() {}
};
CALL static void quiet(int n) {
  guard end;
  throw n;
}
CALL static int late(int n) {
  if (n >= 0) throw n;
  return n;
}
CALL static int caught(void (*thrower)(int), int times) {
  int count = 0;
  for (int n = 0; n < times; n++) {
    try {
      thrower(n);
    } catch (int) {
      count++;
    }
  }
  return count;
}
static void call_late(int n) { late(n); }
int main() {
  char line[8];
  setvbuf(stdout, nullptr, _IOLBF, 0);
  puts("ready");
  if (!fgets(line, sizeof line, stdin)) return 1;
  printf("%d quiet\n", caught(quiet, 1000));
  printf("%d late\n", caught(call_late, 1));
}
