#include "target.h"
CALL int is_vowel(int c) { return c && strchr("aeiou", c) != NULL; }
CALL int vowels(const char *line) {
  int count = 0;
  for (; *line; line++) count += is_vowel(*line);
  return count;
}
int main(void) {
  char line[200];
  while (fgets(line, sizeof line, stdin)) {
    printf("%d %s", vowels(line), line);
    fflush(stdout);
  }
  puts("end");
  return 0;
}
