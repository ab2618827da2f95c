// What every program of the benchmarks says about itself on stdout, in nanoseconds:
//   bench start NOW                      its first instruction in main has run, by CLOCK_MONOTONIC
//   bench end NOW ELAPSED CPU CALLS      CALLS calls took ELAPSED, summed over threads, and CPU of processor time
// From these the harness separates the cost of a call from that of attaching and detaching.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline long clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static inline long now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

// Processor time of all threads: what other processes take away does not count.
static inline long cpu_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

static inline void say_start(void) {
  printf("bench start %ld\n", now_ns());
  fflush(stdout);
}

static inline void say_end(long elapsed_ns, long cpu_time_ns, long calls) {
  printf("bench end %ld %ld %ld %ld\n", now_ns(), elapsed_ns, cpu_time_ns, calls);
  fflush(stdout);
}

// Makes the optimiser believe that the value is used and changed.
#define USED(value) __asm__ volatile("" : "+r"(value))
#define CALL __attribute__((noinline, noclone))
