// Names that would take over a terminal: escape sequences, a line feed, right-to-left override, quotes, not UTF-8.
#include "target.h"
int red(int n) __asm__("\"\033[31mred\"");
#ifdef __clang__
int line_feed(int n) __asm__("\"line\nfeed\"");  // GNU as takes no line feed.
#else
int line_feed(int n) __asm__("\"carriage\rreturn\"");
#endif
int bidi(int n) __asm__("\"bidi\342\200\256txt\"");
int blanks(int n) __asm__("\"with blanks; and } /* marks */\"");
int bytes(int n) __asm__("\"bytes\377\376\"");
int separator(int n) __asm__("\"separator\342\200\250x\"");
CALL int red(int n) { return n + 1; }
CALL int line_feed(int n) { return red(n) + 1; }
CALL int bidi(int n) { return line_feed(n) + 1; }
CALL int blanks(int n) { return bidi(n) + 1; }
CALL int bytes(int n) { return blanks(n) + 1; }
CALL int separator(int n) { return bytes(n) + 1; }
int main(void) {
  printf("%d\n", separator(1));
  return 0;
}
