// Pipes from and to commands.
#include "target.h"
#include <sys/wait.h>
CALL int count(const char *line) { return (int)strlen(line); }
CALL int reads(const char *command) {
  char line[100];
  int total = 0;
  FILE *pipe = popen(command, "r");
  while (fgets(line, sizeof line, pipe)) total += count(line);
  return total * 10 + WEXITSTATUS(pclose(pipe));
}
CALL int writes(const char *command) {
  FILE *pipe = popen(command, "w");
  fputs("to the command\n", pipe);
  return WEXITSTATUS(pclose(pipe));
}
int main(void) {
  printf("%d\n", reads("echo one; echo two; exit 3"));
  fflush(stdout);
  printf("%d\n", writes("cat; exit 4"));
  return 0;
}
