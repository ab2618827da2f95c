#include "target.h"
struct number {
  long value;
  CALL explicit operator bool() const { return value != 0; }
  CALL operator const char *() const { return "number"; }
  CALL long operator()(long n) const { return value + n; }
  CALL long operator[](int n) const { return value * n; }
  CALL number operator-() const { return {-value}; }
  CALL number &operator+=(const number &other) { return value += other.value, *this; }
  CALL number &operator++() { return ++value, *this; }
  CALL number operator++(int) { return {value++}; }
  CALL const number *operator->() const { return this; }
  CALL static void *operator new(size_t size) { return malloc(size); }
  CALL static void operator delete(void *memory) { free(memory); }
};
CALL number operator+(const number &a, const number &b) { return {a.value + b.value}; }
CALL bool operator<(const number &a, const number &b) { return a.value < b.value; }
CALL bool operator==(const number &a, const number &b) { return a.value == b.value; }
CALL number operator,(const number &, const number &b) { return b; }
CALL number operator/(const number &a, const number &b) { return {a.value / b.value}; }
CALL long operator""_twice(unsigned long long n) { return (long)n * 2; }
int main() {
  number a{3}, b{4};
  if (a) printf("%ld %ld %ld %s\n", a(1), a[2], (-a).value, (const char *)a);
  a += b;
  ++a;
  a++;
  number *c = new number{(a + b).value};
  printf("%d %d %ld %ld %ld %ld\n", a < b, a == b, c->value, (a, b).value, (a / b).value, 21_twice);
  printf("%ld\n", a->value);
  delete c;
}
