#include "target.h"
#include <stdarg.h>
CALL long sum(int count, ...) {
  va_list list;
  long total = 0;
  va_start(list, count);
  for (int i = 0; i < count; i++) total += va_arg(list, long);
  va_end(list);
  return total;
}
CALL double mean(int count, ...) {
  va_list list;
  double total = 0;
  va_start(list, count);
  for (int i = 0; i < count; i++) total += va_arg(list, double);
  va_end(list);
  return total / count;
}
CALL int format(char *into, size_t size, const char *how, ...) {
  va_list list;
  va_start(list, how);
  int length = vsnprintf(into, size, how, list);
  va_end(list);
  return length;
}
int main(void) {
  char text[100];
  int length = format(text, sizeof text, "%s %d %.2f %c %Lg", "text", 7, 2.5, 'x', 1.25L);
  printf("%ld %.3f %d %s\n", sum(10, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L),
         mean(9, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5), length, text);
  return 0;
}
