// Multiple and virtual inheritance: calls that enter through an adjusting thunk.
#include "target.h"
struct left {
  CALL virtual ~left() {}
  CALL virtual int from_left() { return 1; }
  long pad = 1;
};
struct right {
  CALL virtual ~right() {}
  CALL virtual int from_right() { return 2; }
  CALL virtual right *self() { return this; }
  long pad = 2;
};
struct both : left, right {
  CALL ~both() override {}
  CALL int from_left() override { return 10; }
  CALL int from_right() override { return 20 + (int)left::pad; }
  CALL both *self() override { return this; }
};
struct base {
  CALL virtual int shared() { return 3; }
  long pad = 3;
};
struct virtually : virtual base {
  CALL int shared() override { return 30 + (int)pad; }
};
CALL int through_left(left *l) { return l->from_left(); }
CALL int through_right(right *r) { return r->from_right() + (int)r->self()->pad; }
CALL int through_base(base *b) { return b->shared(); }
int main() {
  both object;
  virtually other;
  printf("%d %d %d\n", through_left(&object), through_right(&object), through_base(&other));
}
