// Two libraries after each other at one place: what the first had there is gone, and the second has others.
#include "target.h"
#include <dlfcn.h>
typedef int (*work)(int);
CALL int use(const char *path, const char *name, int n) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) return printf("%s\n", dlerror());
  work function = (work)dlsym(library, name);
  int result = function(n) + function(n + 1);
  dlclose(library);
  return result;
}
int main(int argc, char **argv) {
  if (argc < 3) return 2;
  for (int i = 0; i < 4; i++) printf("%d %d\n", use(argv[1], "one_work", i), use(argv[2], "two_work", i));
  return 0;
}
