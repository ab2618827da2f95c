// As large as lib-one.c: where one was, the other fits.
#include "target.h"
static CALL int two_inner(int n) { return n + 2; }
CALL int two_work(int n) { return two_inner(n) + two_inner(n + 2); }
