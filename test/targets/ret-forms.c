// Every form of `ret`: plain, popping arguments, and with the prefixes that old and new compilers put in front.
#include "target.h"
long plain(long n), pops(long n), pops_many(long n), repeated(long n), bound(long n), either(long n);
__asm__(
    ".text\n"
    ".macro function name\n .globl \\name\n .type \\name, @function\n \\name:\n.endm\n"
    ".macro size name\n .size \\name, . - \\name\n.endm\n"
    "function plain\n push %rbx\n lea 1(%rdi), %rax\n pop %rbx\n ret\n size plain\n"
    // Clang does not know the prefix by its name.
    ".macro bnd_ret\n .byte 0xf2, 0xc3\n.endm\n"
    // The callee takes its 16 bytes of arguments off the stack.
    "function popping\n push %rbx\n mov 16(%rsp), %rax\n add 24(%rsp), %rax\n pop %rbx\n ret $16\n size popping\n"
    "function pops\n push %rdi\n push %rdi\n call popping\n ret\n size pops\n"
    "function popping_many\n push %rbx\n mov 16(%rsp), %rax\n pop %rbx\n ret $0x400\n size popping_many\n"
    "function pops_many\n sub $0x400, %rsp\n mov %rdi, (%rsp)\n call popping_many\n ret\n size pops_many\n"
    "function repeated\n push %rbx\n lea 2(%rdi), %rax\n pop %rbx\n rep ret\n size repeated\n"
    "function bound\n push %rbx\n lea 3(%rdi), %rax\n pop %rbx\n bnd_ret\n size bound\n"
    "function either\n push %rbx\n lea 4(%rdi), %rax\n pop %rbx\n test %rdi, %rdi\n jne 1f\n rep ret\n 1: bnd_ret\n size either\n");
int main(void) {
  for (long n = 0; n < 3; n++)
    printf("%ld %ld %ld %ld %ld %ld\n", plain(n), pops(n), pops_many(n), repeated(n), bound(n), either(n));
  return 0;
}
