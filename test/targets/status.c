#include "target.h"
CALL int status(const char *text) { return atoi(text); }
int main(int argc, char **argv) { return argc > 1 ? status(argv[1]) : 3; }
