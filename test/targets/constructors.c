// Code before and after main.
#include "target.h"
CALL void say(const char *text) { puts(text); }
__attribute__((constructor(200))) CALL void first(void) { say("first"); }
__attribute__((constructor)) CALL void second(void) { say("second"); }
__attribute__((destructor)) CALL void last(void) { say("last"); }
CALL void registered(void) { say("registered"); }
int main(void) {
  atexit(registered);
  say("main");
  return 0;
}
