// Loads a library while it runs, calls into it by pointer, is called back, unloads it, twice.
#include "target.h"
#include <dlfcn.h>
typedef int (*apply)(int (*)(int), int);
CALL int callback(int n) { return n + 1; }
CALL int use(const char *path, int n) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) return printf("%s\n", dlerror());
  apply function = (apply)dlsym(library, "b_apply");
  int result = function(callback, n);
  dlclose(library);
  return result;
}
int main(int argc, char **argv) {
  if (argc < 2) return 2;
  for (int i = 1; i < 3; i++) printf("%d\n", use(argv[1], i));
  return 0;
}
