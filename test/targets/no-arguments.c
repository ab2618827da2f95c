void nothing(void);
__attribute__((noinline)) void nothing(void) { __asm__ volatile(""); }
int main() { nothing(); }
