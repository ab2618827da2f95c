// A tight loop over a leaf function, N times, or for a number of seconds: `leaf 1000000`, `leaf 20s`.
#include "bench.h"

CALL long leaf(long n) {
  USED(n);
  return n + 1;
}

static long run_for(long ns) {
  long calls = 0, end = now_ns() + ns;
  while (now_ns() < end)
    for (long stop = calls + 1000; calls < stop;) calls = leaf(calls);
  return calls;
}

int main(int argc, char **argv) {
  char *unit;
  long amount = strtol(argc > 1 ? argv[1] : "1000000", &unit, 10), calls = 0;
  say_start();
  long begin = now_ns(), cpu = cpu_ns();
  if (*unit == 's')
    calls = run_for(amount * 1000000000L);
  else
    while (calls < amount) calls = leaf(calls);
  say_end(now_ns() - begin, cpu_ns() - cpu, calls);
  return 0;
}
