// Calls from a library back into the program.
#include "target.h"
CALL int by_value(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
CALL int descending(const void *a, const void *b) { return by_value(b, a); }
CALL void sort(int *values, int count) {
  qsort(values, count, sizeof *values, by_value);
  qsort(values, count, sizeof *values, descending);
}
CALL int find(int *values, int count, int key) {
  return bsearch(&key, values, count, sizeof *values, descending) != NULL;
}
int main(void) {
  int values[] = {5, 3, 9, 1, 7, 2, 8};
  sort(values, 7);
  for (int i = 0; i < 7; i++) printf("%d ", values[i]);
  printf("%d %d\n", find(values, 7, 9), find(values, 7, 4));
  return 0;
}
