// Faults in the first instructions of a function: one that its handler mends, one that it jumps away from, a last one.
#include "target.h"
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
struct pair {
  int first, second;
};
// The handler reads them in between.
static volatile enum { MEND, LEAVE, GIVE_UP } mode;
static struct pair *volatile page;
static sigjmp_buf before;
CALL int reads(struct pair *pair) {
  if (pair->second > 3) return pair->first;
  return 2;
}
CALL int asks(struct pair *pair) { return reads(pair) + 1; }
CALL void on_fault(int number) {
  if (mode == MEND) mprotect(page, 4096, PROT_READ | PROT_WRITE);
  if (mode == LEAVE) siglongjmp(before, 1);
  if (mode == GIVE_UP) signal(number, SIG_DFL);
}
int main(void) {
  page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  signal(SIGSEGV, on_fault);
  asks(page);
  asks(page);
  mode = LEAVE;
  if (sigsetjmp(before, 1) == 0) asks(NULL);
  mode = GIVE_UP;
  puts("gives up");
  fflush(stdout);
  return asks(NULL);
}
