#include "target.h"
static int constructed;
static CALL void begin_one(void) { constructed++; }
__attribute__((constructor)) static void construct(void) { begin_one(); }
static CALL int inner_one(int (*callback)(int), int n) { return callback(n); }
CALL int plugin_one(int (*callback)(int), int n) { return inner_one(callback, n) + constructed; }
