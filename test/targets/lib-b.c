#include "target.h"
static CALL int b_inner(int n) { return n - 1; }
CALL int b_apply(int (*callback)(int), int n) { return callback(b_inner(n)); }
CALL int b_direct(int n) { return b_inner(n); }
