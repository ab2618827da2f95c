#include "target.h"
static int constructed;
static CALL void begin_two(void) { constructed += 2; }
__attribute__((constructor)) static void construct(void) { begin_two(); }
static CALL int inner_two(int (*callback)(int), int n) { return callback(n) - callback(n + 1); }
CALL int plugin_two(int (*callback)(int), int n) { return inner_two(callback, n) + constructed; }
