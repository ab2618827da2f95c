// The language's own coroutines: the frame is on the heap, and each resumption is a call of its own.
#include "target.h"
#include <coroutine>
struct generator {
  struct promise_type {
    int value = 0;
    CALL generator get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    CALL std::suspend_always initial_suspend() noexcept { return {}; }
    CALL std::suspend_always final_suspend() noexcept { return {}; }
    CALL std::suspend_always yield_value(int n) { return value = n, std::suspend_always(); }
    CALL void return_void() {}
    CALL void unhandled_exception() { throw; }
  };
  std::coroutine_handle<promise_type> handle;
  CALL bool next() { return handle.resume(), !handle.done(); }
};
CALL int produce(int n) {
  if (n == 4) throw n;
  return n * n;
}
generator squares(int n) {
  for (int i = 0; i < n; i++) co_yield produce(i);
}
CALL int sum(generator g) {
  int total = 0;
  try {
    while (g.next()) total += g.handle.promise().value;
  } catch (int n) {
    total -= n * 100;
  }
  g.handle.destroy();
  return total;
}
int main() { printf("%d %d\n", sum(squares(4)), sum(squares(6))); }
