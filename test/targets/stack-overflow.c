// Recursion until the stack is full, survived by a handler on an alternate stack that jumps back out.
#include "target.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
static sigjmp_buf home;
static char alternate[65536];
CALL void on_overflow(int number) { siglongjmp(home, number); }
CALL long descend(long n) {
  char bytes[512];
  bytes[0] = (char)n;
  USED(n);
  long below = descend(n + 1);
  USED(below);
  return below + bytes[0];
}
CALL int survives(void) {
  int value = sigsetjmp(home, 1);
  if (value == 0) descend(0);
  return value == SIGSEGV;
}
CALL void *work(void *argument) {
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
  struct sigaction action = {.sa_handler = on_overflow, .sa_flags = SA_ONSTACK};
  sigaltstack(&stack, NULL);
  sigaction(SIGSEGV, &action, NULL);
  for (int i = 0; i < 2; i++) printf("%d\n", survives());
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  pthread_create(&thread, &attributes, work, NULL);
  pthread_join(thread, NULL);
  puts("survived");
  return 0;
}
