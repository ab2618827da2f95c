// Linkage names of thousands of characters.
#include "target.h"
template <class A, class B, class C> struct triple {};
template <class T> CALL int depth_of(T) { return (int)sizeof(T); }
using one = triple<int, long, char>;
using two = triple<one, triple<one, one, double>, triple<float, one, int *>>;
using three = triple<two, triple<two, one, two>, triple<two, two, const char *>>;
using four = triple<three, triple<three, two, three>, triple<one, three, void (*)(two)>>;
CALL int a_function_with_a_name_that_is_much_longer_than_any_terminal_is_wide_and_that_goes_on_and_on_and_on_until_it_ends(
    int n) {
  USED(n);
  return n;
}
int main() {
  int sum = depth_of(one()) + depth_of(two()) + depth_of(three()) + depth_of(four());
  printf("%d\n",
         a_function_with_a_name_that_is_much_longer_than_any_terminal_is_wide_and_that_goes_on_and_on_and_on_until_it_ends(
             sum));
}
