// Exceptions that leave one module for another: out of a library, through one, and into one.
#include "target.h"
#include <stdexcept>
void t_throw(int n);
int t_passes(int (*callback)(int), int n);
int t_catches(int (*callback)(int), int n);
CALL int callback(int n) {
  if (n > 1) throw std::runtime_error("from the program");
  return n;
}
CALL int out_of(int n) {
  try {
    t_throw(n);
  } catch (const std::out_of_range &e) {
    printf("caught %s\n", e.what());
    return 1;
  } catch (int value) {
    return value;
  }
  return -1;
}
CALL int through(int n) {
  try {
    return t_passes(callback, n);
  } catch (const std::runtime_error &e) {
    printf("caught %s\n", e.what());
    return 2;
  }
}
CALL int into(int n) {
  int value = t_catches(callback, n);
  USED(value);
  return value;
}
int main() {
  for (int n = 0; n < 4; n++) printf("%d %d %d\n", out_of(n), through(n), into(n));
}
