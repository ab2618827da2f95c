// Coroutines in two threads at once, three in each, resumed in turn; one of them is taken over by the other thread.
#define _GNU_SOURCE
#include "target.h"
#include <pthread.h>
#include <ucontext.h>
enum { coroutines = 3, stack_bytes = 65536 };
struct coroutine {
  ucontext_t own, *resumer;
  int id, turns;
  char stack[stack_bytes];
};
static struct coroutine shared[2][coroutines];
CALL int work(int id, int turn) { return id * 10 + turn; }
CALL void pause_here(struct coroutine *self) { swapcontext(&self->own, self->resumer); }
CALL void body(unsigned low, unsigned high) {
  struct coroutine *self = (struct coroutine *)((unsigned long)high << 32 | low);
  for (int turn = 0; turn < 4; turn++) {
    self->turns += work(self->id, turn);
    pause_here(self);
  }
  for (;;) pause_here(self);
}
CALL void resume(struct coroutine *coroutine) {
  ucontext_t here;
  coroutine->resumer = &here;
  swapcontext(&here, &coroutine->own);
}
CALL void *run(void *argument) {
  struct coroutine *mine = argument;
  for (int turn = 0; turn < 4; turn++)
    for (int i = 0; i < coroutines; i++) resume(&mine[i]);
  return NULL;
}
CALL void prepare(struct coroutine *coroutine, int id) {
  coroutine->id = id;
  getcontext(&coroutine->own);
  coroutine->own.uc_stack.ss_sp = coroutine->stack;
  coroutine->own.uc_stack.ss_size = stack_bytes;
  makecontext(&coroutine->own, (void (*)(void))body, 2, (unsigned)(unsigned long)coroutine,
              (unsigned)((unsigned long)coroutine >> 32));
}
int main(void) {
  pthread_t threads[2];
  for (int i = 0; i < 2 * coroutines; i++) prepare(&shared[i / coroutines][i % coroutines], i + 1);
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, run, shared[i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  resume(&shared[1][0]);
  for (int i = 0; i < 2 * coroutines; i++) printf("%d ", shared[i / coroutines][i % coroutines].turns);
  puts("");
  return 0;
}
