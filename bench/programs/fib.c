// Recursion: fib(16) again and again, 3,193 calls each.
#include "bench.h"

CALL long fib(long n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

int main(int argc, char **argv) {
  long rounds = argc > 1 ? atol(argv[1]) / 3193 + 1 : 300, sum = 0;
  say_start();
  long begin = now_ns(), cpu = cpu_ns();
  for (long i = 0; i < rounds; i++) sum += fib(16);
  say_end(now_ns() - begin, cpu_ns() - cpu, rounds * 3193);
  return sum != rounds * 987;
}
