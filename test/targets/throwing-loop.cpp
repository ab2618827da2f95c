// Throws and catches all the time until the file is there that it is told of: for attaching to.
#include "target.h"
#include <unistd.h>
CALL int risky(int n) {
  if (n % 3 == 0) throw n;
  return n + 1;
}
CALL int careful(int n) {
  try {
    return risky(n);
  } catch (int thrown) {
    return thrown;
  }
}
int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("running");
  for (int n = 0; n < 30000 && argc > 1 && access(argv[1], F_OK) != 0; n++) {
    careful(n);
    usleep(1000);
  }
  puts("stopped in order");
  return 0;
}
