// Exceptions pass functions that are called far more often (in two threads at once, unless it is told to be alone): at every fiftieth time the innermost throws,
// through a destructor that throws and catches on its own, and sometimes an exception is passed on.
#include "target.h"
#include <pthread.h>
static __thread int cleaned;
CALL static int helper(int n) {
  if (n % 10 == 9) throw 'x';
  return n;
}
struct guard {
  int n;
  CALL ~guard() {
    try {
      cleaned += helper(n);
    } catch (char) {
      cleaned++;
    }
  }
};
CALL static int innermost(int n) {
  if (n % 50 == 0) throw n;
  return n + 1;
}
CALL static int guarded(int n) {
  guard end = {n / 50};
  int result = innermost(n);
  USED(result);
  return result;
}
CALL static int middle(int n) {
  try {
    int result = n % 3 ? innermost(n) : guarded(n);
    USED(result);
    return result;
  } catch (int thrown) {
    if (thrown % 100) throw;
    return -1;
  }
}
CALL static int outermost(int n) {
  try {
    int result = middle(n);
    USED(result);
    return result;
  } catch (int thrown) {
    return -2;
  }
}
CALL static void *work(void *argument) {
  int rounds = *(int *)argument, failed = 0;
  for (int n = 0; n < rounds; n++) failed += outermost(n) < 0;
  printf("%d failed, %d cleaned up\n", failed, cleaned);
  return nullptr;
}
int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 500;
  bool alone = argc > 2;
  pthread_t other;
  if (!alone) pthread_create(&other, nullptr, work, &rounds);
  work(&rounds);
  if (!alone) pthread_join(other, nullptr);
}
