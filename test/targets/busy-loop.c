// A loop without a pause over functions that call each other, to be attached to in the middle of everything.
#include "target.h"
#include <time.h>
#include <unistd.h>
CALL long leaf(long n) {
  USED(n);
  return n + 1;
}
CALL long middle(long n) { return leaf(leaf(n)) - 1; }
CALL long recursive(long n, int depth) {
  long next = depth == 0 ? middle(n) : recursive(n, depth - 1);
  USED(next);
  return next;
}
CALL long outer(long n) { return recursive(n, 5); }
int main(int argc, char **argv) {
  long n = 0, rounds = 0;
  time_t end = time(NULL) + 30;
  puts("running");
  fflush(stdout);
  do {
    n = outer(n);
    rounds++;
  } while (rounds % 1000 || (time(NULL) < end && (argc < 2 || access(argv[1], F_OK) != 0)));
  puts(n == rounds ? "consistent" : "inconsistent");
  return 0;
}
