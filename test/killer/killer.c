// Runs a tracer, and kills it by SIGKILL some time after its target has appeared; then adopts the target (subreaper)
// and ends as it ends, with a shell's status: 128 + n after signal n.
//
// Usage: killer DELAY_US TARGET_NAME TRACER ARGS…
// A tracer that ends before that leaves its own status, which is to be the target's. How long it has lived with its
// target is told on stderr then: `killer: 123456 us`. Of a target that the tracer has outlived the status is known to
// nobody: 251.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { poll_us = 500, comm_bytes = 15, own_failure = 250, outlived = 251 };

static long now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int has_name(pid_t pid, const char *name) {
  char path[64], comm[comm_bytes + 2] = "";
  snprintf(path, sizeof path, "/proc/%d/comm", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  fgets(comm, sizeof comm, file);
  fclose(file);
  comm[strcspn(comm, "\n")] = 0;
  return strncmp(comm, name, comm_bytes) == 0;
}

// The tracer's child of this name, or 0.
static pid_t find_target(pid_t tracer, const char *name) {
  char path[64];
  pid_t pid = 0, found = 0;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", tracer, tracer);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  while (!found && fscanf(file, "%d", &pid) == 1)
    if (has_name(pid, name)) found = pid;
  fclose(file);
  return found;
}

static int shell_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

int main(int argc, char **argv) {
  if (argc < 4) return own_failure;
  long delay_us = atol(argv[1]);
  int status;
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t tracer = fork(), target;
  if (tracer == 0) {
    execv(argv[3], argv + 3);
    _exit(own_failure);
  }
  while (!(target = find_target(tracer, argv[2]))) {
    if (waitpid(tracer, &status, WNOHANG) == tracer) return shell_status(status);
    usleep(poll_us);
  }
  for (long begin = now_us(), left; (left = begin + delay_us - now_us()) > 0; usleep(left < poll_us ? left : poll_us)) {
    if (waitpid(tracer, &status, WNOHANG) != tracer) continue;
    fprintf(stderr, "killer: %ld us\n", now_us() - begin);
    return shell_status(status);
  }
  kill(tracer, SIGKILL);
  waitpid(tracer, &status, 0);
  if (!WIFSIGNALED(status)) return shell_status(status);
  // Its other children, and what it has left behind, end too before this does.
  int ending = outlived;
  for (pid_t ended; (ended = wait(&status)) > 0 || errno == EINTR;)
    if (ended == target) ending = shell_status(status);
  return ending;
}
