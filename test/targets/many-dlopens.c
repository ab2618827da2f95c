// Loads and unloads two libraries in turn, as often as it is told: the second comes to lie where the first was.
#include "target.h"
#include <dlfcn.h>
#include <link.h>
typedef int (*callback)(int (*)(int), int);
CALL int own(int n) { return n + 1; }
CALL int use(const char *path, const char *symbol, int n, ElfW(Addr) *address) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) return printf("%s\n", dlerror());
  *address = ((struct link_map *)library)->l_addr;
  int result = ((callback)dlsym(library, symbol))(own, n);
  dlclose(library);
  return result;
}
int main(int argc, char **argv) {
  static const char *const symbols[] = {"plugin_one", "plugin_two"};
  int times = argc > 3 ? atoi(argv[3]) : 4, sum = 0, same = 0;
  ElfW(Addr) before = 0, address = 0;
  for (int i = 0; i < times; i++) {
    sum += use(argv[1 + i % 2], symbols[i % 2], i, &address);
    same += address == before;
    before = address;
  }
  printf("%d, %s\n", sum, same * 2 > times ? "mostly at the same address" : "at other addresses");
  return 0;
}
