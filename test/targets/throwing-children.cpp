// Threads that call all the time and fork children that throw, until the file is there that it is told of: says how many
// children have not caught what they threw.
#include "target.h"
#include <atomic>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static std::atomic<int> failed, forked;
static const char *stop_file;
CALL static int thrower(int n) {
  if (n >= 0) throw n;
  return n;
}
CALL static int middle(int n) {
  int result = thrower(n);
  USED(result);
  return result;
}
CALL static int catcher(int n) {
  try {
    return middle(n);
  } catch (int caught) {
    return caught + 1;
  }
}
CALL static int busy(int n) {
  USED(n);
  return n;
}
CALL static void child(void) {
  int status, pid = fork();
  if (pid == 0) _exit(catcher(6));
  waitpid(pid, &status, 0);
  forked++;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) failed++;
}
CALL static void *work(void *) {
  while (access(stop_file, F_OK) != 0) {
    for (int n = 0; n < 100; n++) busy(n);
    child();
  }
  return nullptr;
}
int main(int argc, char **argv) {
  pthread_t threads[4];
  stop_file = argc > 1 ? argv[1] : "/";
  setvbuf(stdout, nullptr, _IOLBF, 0);
  puts("running");
  for (pthread_t &thread : threads) pthread_create(&thread, nullptr, work, nullptr);
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  printf("%d failed, %s\n", failed.load(), forked > 10 ? "many forked" : "hardly any forked");
}
