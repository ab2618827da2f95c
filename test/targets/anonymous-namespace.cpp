#include "target.h"
namespace {
CALL int hidden(int n) { return n + 1; }
struct local {
  CALL int method(int n) { return hidden(n) * 2; }
};
namespace inner {
CALL int deeper(int n) { return local().method(n); }
}
}
namespace named {
inline namespace v1 {
CALL int versioned(int n) { return inner::deeper(n); }
}
}
int main() { printf("%d\n", named::versioned(3) + hidden(1)); }
