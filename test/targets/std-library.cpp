// The library's algorithms and containers call back: comparisons, hashes, type-erased functions, visitors.
#include "target.h"
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>
struct item {
  int key;
  CALL bool operator<(const item &other) const { return key < other.key; }
};
CALL bool reversed(const item &a, const item &b) { return b < a; }
CALL int applied(const std::function<int(int)> &f, int n) { return f(n); }
CALL int plus_one(int n) { return n + 1; }
CALL long total(const std::map<item, std::string> &map) {
  long sum = 0;
  for (const auto &[key, text] : map) sum += key.key * (long)text.size();
  return sum;
}
int main() {
  std::vector<item> items;
  for (int i = 0; i < 12; i++) items.push_back({i * 7 % 12});
  std::sort(items.begin(), items.end());
  std::stable_sort(items.begin(), items.end(), reversed);
  std::map<item, std::string> map;
  for (const item &each : items) map[each] = std::string(each.key % 5, 'x');
  printf("%d %d %ld %d\n", items.front().key, items.back().key, total(map), applied(plus_one, 4));
}
