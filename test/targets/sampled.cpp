// Calls of many kinds in known numbers, among them such that end by an exception, by a longjmp and by a tail call: each
// round makes the same ones. Argument: rounds.
#include "target.h"
#include <setjmp.h>
#include <thread>
static jmp_buf place;
CALL int leaf(int n) {
  USED(n);
  return n + 1;
}
CALL int pair(int n) { return leaf(n) + leaf(n + 1); }
CALL int descend(int n) {
  int below = n == 0 ? 0 : 1 + descend(n - 1);
  USED(below);
  return below;
}
CALL int hands_on(int n) { return pair(n + 1); }
CALL int throws_up(int n) {
  if (leaf(n) > 0) throw n;
  return n;
}
CALL int catches(int n) {
  try {
    return throws_up(n);
  } catch (int) {
    return leaf(n);
  }
}
CALL void jumps_up(int n) {
  leaf(n);
  longjmp(place, 1);
}
CALL int jumped_to(int n) {
  if (setjmp(place) == 0) jumps_up(n);
  return leaf(n);
}
int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  long sum = 0;
  auto work = [&] {
    for (int n = 0; n < rounds; n++) {
      sum += pair(n) + hands_on(n) + descend(9);
      if (n % 20 == 0) sum += catches(n) + jumped_to(n);
    }
  };
  std::thread(work).join();
  printf("%ld\n", sum);
  return 0;
}
