// What every target shares. CALL keeps a function a real function at any optimization level, so that the plain and
// the instrumented build have the same calls; USED stops the compiler from reasoning about a value.
#ifndef TARGET_H
#define TARGET_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __clang__
#define CALL __attribute__((noinline, used))
#else
#define CALL __attribute__((noipa, used))
#endif
#define NOT_INSTRUMENTED __attribute__((no_instrument_function))
#define USED(value) __asm__ volatile("" : "+r"(value) : : "memory")
#endif
