// Five levels of calls; at every hundredth time the innermost reports a failure: by an exception (-DTHROW=1), which
// the outermost catches, or by its result (-DTHROW=0).
#include "bench.h"

static const int failure = -1;

CALL static long level5(long n) {
  if (n % 100 == 0) {
#if THROW
    throw failure;
#else
    return failure;
#endif
  }
  return n;
}

#define LEVEL(name, below)          \
  CALL static long name(long n) {   \
    long result = below(n);         \
    USED(result);                   \
    return result;                  \
  }
LEVEL(level4, level5)
LEVEL(level3, level4)
LEVEL(level2, level3)

CALL static long level1(long n) {
#if THROW
  try {
    return level2(n);
  } catch (int code) {
    return code;
  }
#else
  long result = level2(n);
  USED(result);
  return result;
#endif
}

int main(int argc, char **argv) {
  long rounds = (argc > 1 ? atol(argv[1]) : 500000) / 5, failures = 0;
  say_start();
  // What is measured is the steady state: a tracer learns from the first exceptions.
  for (long i = 0; i < rounds; i++) level1(i);
  long begin = now_ns(), cpu = cpu_ns();
  for (long i = 0; i < rounds; i++) failures += level1(i) == failure;
  say_end(now_ns() - begin, cpu_ns() - cpu, rounds * 5);
  return failures != (rounds + 99) / 100;
}
