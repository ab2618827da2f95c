#include "target.h"
int b_apply(int (*callback)(int), int n);
static CALL int a_inner(int (*callback)(int), int n) { return b_apply(callback, n) * 2; }
CALL int a_twice(int (*callback)(int), int n) { return a_inner(callback, n) + a_inner(callback, n + 1); }
