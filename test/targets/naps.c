// Naps until the file named by its argument appears (or 30 s), to be attached to. Says at the end how long the longest nap took.
#include "target.h"
#include <time.h>
#include <unistd.h>
CALL void nap(void) { usleep(10000); }
static long now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}
int main(int argc, char **argv) {
  long longest = 0;
  puts("running");
  fflush(stdout);
  for (int i = 0; i < 3000 && (argc < 2 || access(argv[1], F_OK) != 0); i++) {
    long begin = now_ns();
    nap();
    long took = now_ns() - begin;
    if (took > longest) longest = took;
  }
  printf("%ld ns\n", longest);
  return 0;
}
