// Code in sections of its own, which a linker may put into segments of their own, and symbols that are no code.
#include "target.h"
#define IN(name) __attribute__((section(name), noinline, used, noclone))
IN(".text_apart") int apart(int n) { return n * 3; }
IN(".text_beyond") int beyond(int n) { return apart(n) + apart(n + 1); }
CALL int usual(int n) { return beyond(n) - 1; }
int empty_symbol(int n), labelled(int n);
__asm__(
    // What a table in the code is called must not be taken for code.
    ".text\n .globl table_in_code\n .type table_in_code, @object\n table_in_code: .quad 0xcccccccccccccccc, 1, 2, 3\n"
    ".globl bare_table\n bare_table: .quad 0xcccccccccccccccc, 4, 5, 6\n"
    // Functions as old assembler code leaves them: without a size, without a type, and with a second label inside.
    ".globl empty_symbol\n .type empty_symbol, @function\n empty_symbol: push %rbx\n lea 2(%rdi), %rax\n pop %rbx\n ret\n"
    ".globl labelled\n labelled: push %rbx\n lea 5(%rdi), %rax\n pop %rbx\n ret\n"
    // A function in data, and one in constants: the addresses are no code.
    ".data\n .globl in_data\n .type in_data, @function\n in_data: .quad 0xcccccccccccccccc\n .size in_data, 8\n"
    ".section .rodata\n .globl in_constants\n .type in_constants, @function\n in_constants: .quad 0xcccccccccccccccc\n"
    ".size in_constants, 8\n .text\n");
extern long table_in_code[], bare_table[];
extern long in_data, in_constants;
int main(void) {
  long sum = 0;
  for (int i = 0; i < 4; i++) sum += usual(i) + empty_symbol(i) + labelled(i) + table_in_code[i] + bare_table[i];
  printf("%ld %lx %lx\n", sum, in_data, in_constants);
  return 0;
}
