// Throws, lets exceptions of others pass, and catches them.
#include "target.h"
#include <stdexcept>
struct lib_guard {
  CALL ~lib_guard() { puts("guard in the library"); }
};
CALL void t_throw(int n) {
  if (n % 2) throw std::out_of_range("from the library");
  throw n;
}
CALL int t_passes(int (*callback)(int), int n) {
  lib_guard guard;
  int value = callback(n);
  USED(value);
  return value + 1;
}
CALL int t_catches(int (*callback)(int), int n) {
  try {
    return callback(n);
  } catch (const std::exception &e) {
    printf("library caught %s\n", e.what());
    return -1;
  }
}
