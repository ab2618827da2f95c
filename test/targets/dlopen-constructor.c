// Loads a library that loads another one while it is itself being loaded, and unloads both; three times.
#include "target.h"
#include <dlfcn.h>
CALL int use(const char *path) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) return printf("%s\n", dlerror());
  int seen = ((int (*)(void))dlsym(library, "l_seen"))();
  dlclose(library);
  return seen;
}
int main(int argc, char **argv) {
  if (argc < 2) return 2;
  for (int i = 0; i < 3; i++) printf("%d\n", use(argv[1]));
  return 0;
}
