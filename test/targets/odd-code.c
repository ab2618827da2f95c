// Functions as compilers do not write them: entries that are jumped back to, that begin with `ret`, a jump, a call to
// the next instruction or a prefix the kernel refuses, bodies with several ways out, no size, data between them.
#include "target.h"
long count_down(long n), only_ret(void), jumps_away(long n), locked(long *n), own_address(void), many_rets(long n);
long no_size(long n), falls_into(long n), segment(void), conditional_first(long n), repeat(void);
__asm__(
    ".text\n"
    ".macro function name\n .globl \\name\n .type \\name, @function\n \\name:\n.endm\n"
    ".macro size name\n .size \\name, . - \\name\n.endm\n"
    "function count_down\n sub $1, %rdi\n jnz count_down\n mov $7, %eax\n ret\n size count_down\n"
    "function only_ret\n ret\n size only_ret\n"
    "function jumps_away\n jmp 1f\n .quad 0xc3c3c3c3c3c3c3c3\n 1: lea 1(%rdi), %rax\n ret\n size jumps_away\n"
    "function locked\n lock incq (%rdi)\n mov (%rdi), %rax\n ret\n size locked\n"
    "function own_address\n call 1f\n 1: pop %rax\n lea own_address(%rip), %rcx\n sub %rcx, %rax\n ret\n size own_address\n"
    "function many_rets\n test %rdi, %rdi\n je 1f\n cmp $1, %rdi\n je 2f\n mov $30, %eax\n ret\n"
    " 1: mov $10, %eax\n ret\n 2: mov $20, %eax\n repz ret\n size many_rets\n"
    ".globl no_size\n .type no_size, @function\n no_size: push %rbx\n lea 2(%rdi), %rax\n pop %rbx\n ret\n"
    "function falls_into\n inc %rdi\n size falls_into\n"
    "function conditional_first\n jrcxz 1f\n 1: lea 3(%rdi), %rax\n ret\n size conditional_first\n"
    "function segment\n mov %fs:0, %rax\n test %rax, %rax\n setne %al\n movzx %al, %eax\n ret\n size segment\n"
    "function repeat\n push %rdi\n xor %eax, %eax\n mov $3, %ecx\n 1: inc %eax\n loop 1b\n pop %rdi\n ret\n size repeat\n");
int main(void) {
  long cell = 1;
  for (long i = 0; i < 3; i++) {
    long value = only_ret();
    USED(value);
    printf("%ld %ld %ld %ld %ld ", count_down(i + 1), jumps_away(i), locked(&cell), own_address(), many_rets(i));
    printf("%ld %ld %ld %ld %ld\n", no_size(i), falls_into(i), conditional_first(i), segment(), repeat());
  }
  return 0;
}
