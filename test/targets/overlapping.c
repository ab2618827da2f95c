// Functions with several entries, and with a common end: their symbols overlap.
#include "target.h"
long add_two(long n), add_one(long n), negated(long n), doubled(long n), same_end(long n);
__asm__(
    ".text\n"
    // add_two runs into add_one, and its size covers it.
    ".globl add_two\n .type add_two, @function\n add_two: push %rbx\n lea 1(%rdi), %rdi\n pop %rbx\n"
    ".globl add_one\n .type add_one, @function\n add_one: push %rbx\n lea 1(%rdi), %rax\n pop %rbx\n ret\n"
    ".size add_one, . - add_one\n .size add_two, . - add_two\n"
    // Both jump into the middle of same_end.
    ".globl negated\n .type negated, @function\n negated: push %rbx\n neg %rdi\n jmp same_middle\n .size negated, . - negated\n"
    ".globl doubled\n .type doubled, @function\n doubled: push %rbx\n add %rdi, %rdi\n jmp same_middle\n .size doubled, . - doubled\n"
    ".globl same_end\n .type same_end, @function\n same_end: push %rbx\n same_middle: mov %rdi, %rax\n pop %rbx\n ret\n"
    ".size same_end, . - same_end\n");
CALL long around(long n) { return add_two(n) + add_one(n) + negated(n) + doubled(n) + same_end(n); }
int main(void) {
  for (long n = 0; n < 3; n++) printf("%ld\n", around(n));
  return 0;
}
