#include "target.h"
static CALL int one_inner(int n) { return n + 1; }
CALL int one_work(int n) { return one_inner(n) + one_inner(n + 1); }
