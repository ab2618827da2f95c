// Its constructor loads another library, calls into it, and its destructor lets that go.
#include "target.h"
#include <dlfcn.h>
static void *other;
static int seen;
static CALL int l_inner(int n) { return n + 1; }
__attribute__((constructor)) CALL void l_load(void) {
  other = dlopen("lib-b.so", RTLD_NOW);
  int (*direct)(int) = (int (*)(int))dlsym(other, "b_direct");
  seen = direct(l_inner(10)) + direct(l_inner(20));
}
__attribute__((destructor)) CALL void l_unload(void) { dlclose(other); }
CALL int l_seen(void) { return seen; }
