// For some seconds: turns of a slow function, and of a leaf that is nearly all of the calls: `budget 3`. What is told at
// the end is about the turns after the first half second; a turn counts as a call.
#include "bench.h"

CALL long leaf(long n) {
  USED(n);
  return n + 1;
}

CALL long slow(long n) {
  for (long i = 0; i < 300000; i++) USED(n);
  return leaf(n);
}

static long turn(long n) {
  n = slow(n);
  for (int i = 0; i < 1000; i++) n = leaf(n);
  return n;
}

int main(int argc, char **argv) {
  long n = 0, turns = 0, begin = now_ns(), settled = begin + 500000000;
  long end = begin + (argc > 1 ? atol(argv[1]) : 3) * 1000000000;
  say_start();
  while (now_ns() < settled) n = turn(n);
  settled = now_ns();
  long cpu = cpu_ns();
  for (; now_ns() < end; turns++) n = turn(n);
  say_end(now_ns() - settled, cpu_ns() - cpu, turns);
  return n == 0;
}
