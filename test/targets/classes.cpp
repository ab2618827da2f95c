#include "target.h"
struct shape {
  CALL shape(int side) : side(side) {}
  CALL virtual ~shape() { puts("~shape"); }
  CALL virtual int area() const { return 0; }
  CALL int twice() const { return 2 * area(); }
  int side;
};
struct square : shape {
  CALL square(int side) : shape(side) {}
  CALL ~square() override { puts("~square"); }
  CALL int area() const override { return side * side; }
};
struct cube : square {
  CALL cube(int side) : square(side) {}
  CALL ~cube() override { puts("~cube"); }
  CALL int area() const override { return 6 * square::area(); }
  CALL static int count(int n) { return n; }
};
int main() {
  shape *shapes[] = {new shape(1), new square(2), new cube(3)};
  for (shape *s : shapes) printf("%d\n", s->twice());
  for (shape *s : shapes) delete s;
  return cube::count(0);
}
