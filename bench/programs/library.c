// Calls into the C library: malloc, strlen and free, N calls in all.
#include "bench.h"

int main(int argc, char **argv) {
  long rounds = (argc > 1 ? atol(argv[1]) : 300000) / 3, length = 0;
  say_start();
  long begin = now_ns(), cpu = cpu_ns();
  for (long i = 0; i < rounds; i++) {
    char *text = malloc(64);
    USED(text);
    memcpy(text, "twelve bytes", 13);
    length += strlen(text);
    free(text);
  }
  say_end(now_ns() - begin, cpu_ns() - cpu, rounds * 3);
  return length != rounds * 12;
}
