// `hot-leaf TURNS`: each turn is a slow function, and a leaf that makes up nearly all of the calls.
#include "target.h"
#include <time.h>
static long sum;
CALL long leaf(long n) {
  USED(n);
  return n + 1;
}
static long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}
CALL void slow(long turn) {
  // What a compiler would do with it in 5 ms is nobody's business.
  for (volatile long n = 0; n < 1000000; n++) sum += turn & 1;
  for (int n = 0; n < 19; n++) sum = leaf(sum);
}
int main(int argc, char **argv) {
  long turns = argc > 1 ? atol(argv[1]) : 100, half = 0;
  long begin = now_ns();
  for (long turn = 0; turn < turns; turn++) {
    long turn_begin = now_ns();
    slow(turn);
    for (int n = 0; n < 5000; n++) sum = leaf(sum);
    if (turn >= turns / 2) half += now_ns() - turn_begin;
  }
  if (argc > 2) printf("%ld ns in all, %ld ns in the second half\n", now_ns() - begin, half);
  printf("%ld turns\n", turns);
  return 0;
}
