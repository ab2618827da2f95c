#include "target.h"
CALL void show(const char *text) { printf("[%s]\n", text); }
int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) show(argv[i]);
  return 0;
}
