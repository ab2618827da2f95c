// Touches pages for the first time, and says on stdout how many page faults its functions have had.
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "target.h"

static long faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}

CALL long touch(int pages) {
  size_t size = (size_t)pages << 12;
  char *memory = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, size, MADV_NOHUGEPAGE);
  long before = faults();
  for (size_t at = 0; at < size; at += 1 << 12) memory[at] = 1;
  long after = faults();
  munmap(memory, size);
  return after - before;
}

CALL long touch_more(int pages) { return touch(pages) + touch(2 * pages); }

int main(void) {
  printf("touch_more %ld\n", touch_more(100));
  printf("touch %ld\n", touch(1000));
  return 0;
}
