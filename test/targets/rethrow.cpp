// One exception thrown several times: again, from a pointer, nested in another, and in another thread.
#include "target.h"
#include <exception>
#include <pthread.h>
#include <stdexcept>
CALL void origin(int n) { throw std::runtime_error(n % 2 ? "odd" : "even"); }
CALL void again(int n) {
  try {
    origin(n);
  } catch (...) {
    throw;
  }
}
CALL void wraps(int n) {
  try {
    again(n);
  } catch (...) {
    std::throw_with_nested(std::logic_error("outer"));
  }
}
CALL std::exception_ptr keep(int n) {
  try {
    again(n);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}
CALL void throw_kept(std::exception_ptr kept) { std::rethrow_exception(kept); }
CALL void show(const std::exception &e) {
  printf("%s\n", e.what());
  try {
    std::rethrow_if_nested(e);
  } catch (const std::exception &inner) {
    show(inner);
  }
}
CALL void *elsewhere(void *kept) {
  try {
    throw_kept(*(std::exception_ptr *)kept);
  } catch (const std::exception &e) {
    show(e);
  }
  return nullptr;
}
int main() {
  pthread_t thread;
  for (int n = 0; n < 3; n++) {
    try {
      wraps(n);
    } catch (const std::exception &e) {
      show(e);
    }
    std::exception_ptr kept = keep(n);
    elsewhere(&kept);
    pthread_create(&thread, nullptr, elsewhere, &kept);
    pthread_join(thread, nullptr);
  }
}
