// Forks as many children as it is told, several at a time; each calls the same functions and counts its calls in shared memory.
#include "target.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static long *calls;
CALL int leaf(int n) {
  __atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
  return n + 1;
}
CALL int work(int n) {
  __atomic_fetch_add(calls, 1, __ATOMIC_RELAXED);
  int sum = 0;
  for (int i = 0; i < 3; i++) sum += leaf(n + i);
  USED(sum);
  return sum;
}
int main(int argc, char **argv) {
  int children = argc > 1 ? atoi(argv[1]) : 10, together = 4, wrong = 0;
  calls = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < children; i += together) {
    for (int k = 0; k < together && i + k < children; k++) {
      if (fork() == 0) _exit(work(i + k) & 127);
    }
    for (int status; wait(&status) > 0;) wrong += !WIFEXITED(status);
  }
  printf("%ld calls, %d wrong\n", *calls, wrong);
  return wrong != 0;
}
