// What every program of the benchmarks says about itself on stdout, in CLOCK_MONOTONIC nanoseconds:
//   bench start NOW                      its first instruction in main has run
//   bench end NOW ELAPSED CALLS          ELAPSED: spent in CALLS calls, summed over threads
// From these the harness separates the cost of a call from that of attaching and detaching.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static inline void say_start(void) {
  printf("bench start %ld\n", now_ns());
  fflush(stdout);
}

static inline void say_end(long elapsed_ns, long calls) {
  printf("bench end %ld %ld %ld\n", now_ns(), elapsed_ns, calls);
  fflush(stdout);
}

// Makes the optimiser believe that the value is used and changed.
#define USED(value) __asm__ volatile("" : "+r"(value))
#define CALL __attribute__((noinline, noclone))
