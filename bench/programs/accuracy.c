// Functions that take from 1 us to 100 ms, by themselves or with 1 to 1,000 calls of a small function below, and that are
// timed with the time-stamp counter by who calls them: `NAME CALLS NANOSECONDS` a line, the latter of the median call.
// What other programs take away of a long call by running in its place is taken out: the time by the clock that is no
// processor time of the thread.
#include <x86intrin.h>

#include "bench.h"

#define TURNS_PER_US 3000

static inline void spin(long turns) {
  for (long turn = 0; turn < turns; turn++) __asm__ volatile("");
}

CALL long step(long n) {
  char used[16];
  __asm__ volatile("" : "+r"(n) : "r"(used));
  return n + 1;
}

#define LEAF(name, us) \
  CALL void leaf_##name(void) { spin((long)(us)*TURNS_PER_US); }
#define CALLS(count, name, us)                              \
  CALL void calls_##count##_##name(void) {                  \
    for (long call = 0; call < count; call = step(call))    \
      spin((long)(us)*TURNS_PER_US / count);                \
  }
#define ALL(name, us) \
  LEAF(name, us) CALLS(1, name, us) CALLS(10, name, us) CALLS(100, name, us) CALLS(1000, name, us)

ALL(1us, 1)
ALL(10us, 10)
ALL(100us, 100)
ALL(1ms, 1000)
ALL(10ms, 10000)
ALL(100ms, 100000)

struct row {
  const char *name;
  void (*function)(void);
  int repeats;
};

#define ROW(function, repeats) {#function, function, repeats}
#define ROWS(name, repeats)                                                                     \
  ROW(leaf_##name, repeats), ROW(calls_1_##name, repeats), ROW(calls_10_##name, repeats),       \
      ROW(calls_100_##name, repeats), ROW(calls_1000_##name, (repeats) > 20 ? 20 : (repeats))

static const struct row rows[] = {
    ROWS(1us, 300), ROWS(10us, 100), ROWS(100us, 50), ROWS(1ms, 15), ROWS(10ms, 5), ROWS(100ms, 1),
};

static long waited_ns(void) { return now_ns() - clock_ns(CLOCK_THREAD_CPUTIME_ID); }

static int is_less(const void *a, const void *b) {
  long x = *(const long *)a, y = *(const long *)b;
  return x < y ? -1 : x > y;
}

int main(void) {
  enum { COUNT = sizeof rows / sizeof rows[0], MOST = 300 };
  static long ticks[COUNT][MOST];
  unsigned long long first = __rdtsc();
  long begin = now_ns();
  while (now_ns() < begin + 10000000)
    ;
  double ticks_per_ns = (double)(__rdtsc() - first) / (double)(now_ns() - begin);
  for (int i = 0; i < COUNT; i++)
    for (int call = 0; call < rows[i].repeats; call++) {
      long waited = waited_ns();
      unsigned long long before = __rdtsc();
      rows[i].function();
      ticks[i][call] = (long)(__rdtsc() - before);
      waited = waited_ns() - waited;
      // Reading the clocks takes some of it.
      if (waited > 20000) ticks[i][call] -= (long)((double)waited * ticks_per_ns);
    }
  for (int i = 0; i < COUNT; i++) {
    qsort(ticks[i], rows[i].repeats, sizeof ticks[i][0], is_less);
    printf("%s %d %.0f\n", rows[i].name, rows[i].repeats, (double)ticks[i][rows[i].repeats / 2] / ticks_per_ns);
  }
  return 0;
}
