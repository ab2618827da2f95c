// Waits in the ways that programs wait, and says on stdout how long it was off CPU in each of its functions: the time by
// the clock without the processor time of the thread.
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define CALL __attribute__((noinline, noclone))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t together;
static int pipe_ends[2];

static long clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

static long waited_ns(void) { return clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_THREAD_CPUTIME_ID); }

CALL long nap(void) {
  long before = waited_ns();
  struct timespec pause = {0, 30000000};
  nanosleep(&pause, 0);
  return waited_ns() - before;
}

CALL long take_lock(void) {
  long before = waited_ns();
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
  return waited_ns() - before;
}

CALL long read_pipe(void) {
  long before = waited_ns();
  char byte;
  if (read(pipe_ends[0], &byte, 1) != 1)
    return -1;
  return waited_ns() - before;
}

CALL void hold_and_write(void) {
  struct timespec pause = {0, 40000000};
  pthread_mutex_lock(&lock);
  pthread_barrier_wait(&together);
  nanosleep(&pause, 0);
  pthread_mutex_unlock(&lock);
  pthread_barrier_wait(&together);
  nanosleep(&pause, 0);
  if (write(pipe_ends[1], "x", 1) != 1)
    return;
}

static void *other(void *argument) {
  hold_and_write();
  return argument;
}

int main(void) {
  pthread_t thread;
  long napped, locked, piped;

  if (pipe(pipe_ends) != 0)
    return 1;
  pthread_barrier_init(&together, 0, 2);
  pthread_create(&thread, 0, other, 0);
  pthread_barrier_wait(&together);
  locked = take_lock();
  pthread_barrier_wait(&together);
  piped = read_pipe();
  napped = nap();
  pthread_join(thread, 0);
  printf("nap %ld\ntake_lock %ld\nread_pipe %ld\n", napped, locked, piped);
  return 0;
}
