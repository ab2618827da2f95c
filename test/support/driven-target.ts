import { closeSync, openSync, readSync } from 'node:fs'
import { asPid, asVirtualAddress, type FileOffset, type Pid } from '../../src/base/units.ts'
import { addressToFileOffset } from '../../src/elf/address.ts'
import { loadElf, type Workshop } from './build-elf.ts'
import { type Started, start } from './process.ts'
import { readSymbols } from './symbols.ts'
import { waitUntil } from './wait.ts'

/**
 * A program that does what it is told on standard input, and answers each command with a line:
 *
 *     calls N        node(N), which calls leaf(N) once, N times
 *     threads T N    leaf, N times in each of T threads
 *     flags          every conditional jump under every combination of flags; answers with those taken, as 0 and 1
 *     exec           becomes /bin/true
 */
const source = `
  #include <pthread.h>
  #include <stdio.h>
  #include <string.h>
  #include <unistd.h>
  __attribute__((noipa)) long leaf(long n) { return n + 1; }
  __attribute__((noipa)) long node(long n) { return leaf(n) - 1; }
  void *work(void *count) {
    for (long i = 0; i < (long)count; i++) leaf(i);
    return 0;
  }
  #define JUMP(condition) \\
    long jump_##condition(long flags); \\
    __asm__("jump_" #condition ": push %rdi\\n popfq\\n .globl at_" #condition "\\n" \\
            "at_" #condition ": j" #condition " 1f\\n xor %eax, %eax\\n ret\\n 1: mov $1, %eax\\n ret");
  #define EACH(DO) DO(o) DO(no) DO(b) DO(ae) DO(e) DO(ne) DO(be) DO(a) \\
                   DO(s) DO(ns) DO(p) DO(np) DO(l) DO(ge) DO(le) DO(g)
  EACH(JUMP)
  int main(void) {
    char line[100];
    puts("ready");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
      long threads, count;
      if (sscanf(line, "calls %ld", &count) == 1) {
        for (long i = 0; i < count; i++) node(i);
      } else if (sscanf(line, "threads %ld %ld", &threads, &count) == 2) {
        pthread_t started[8];
        for (long i = 0; i < threads; i++) pthread_create(&started[i], 0, work, (void *)count);
        for (long i = 0; i < threads; i++) pthread_join(started[i], 0);
      } else if (strcmp(line, "flags\\n") == 0) {
        for (int bits = 0; bits < 32; bits++) {
          long flags = 0x202 | (bits & 1) | (bits & 2) << 1 | (bits & 4) << 4 | (bits & 8) << 4 | (bits & 16) << 7;
          #define PRINT(condition) putchar('0' + jump_##condition(flags));
          EACH(PRINT)
        }
      } else if (strcmp(line, "exec\\n") == 0) {
        execl("/bin/true", "true", (char *)0);
      }
      puts(" done");
      fflush(stdout);
    }
  }
`

/** The names of the conditions, in the order of their codes. */
export const conditions = 'o no b ae e ne be a s ns p np l ge le g'.split(' ')

export interface DrivenTarget extends Started {
  readonly pid: Pid
  readonly file: string
  /** Gives it a command and waits for the answer. */
  tell(command: string): Promise<string>
  /** Where a label is in memory, and in the file. */
  addressOf(symbol: string): number
  offsetOf(symbol: string): FileOffset
  sizeOf(symbol: string): number
  /** The byte of its memory at a label: 0xcc where a breakpoint is. */
  byteAt(symbol: string): number
}

/** Builds the program: not a PIE, so that addresses are those of the file. */
export function buildDrivenTarget(workshop: Workshop): string {
  return workshop.build('driven', source, ['-O0', '-no-pie', '-pthread', '-w', '-fcf-protection=none'])
}

/** Starts it, and waits until it listens. */
export async function startDrivenTarget(file: string): Promise<DrivenTarget> {
  const process = start(file, [])
  const answers = () => process.texts.stdout.split('\n').length - 1
  await waitUntil(() => answers() === 1)
  const { functions, addressOf: find } = readSymbols(file)
  const { facts } = loadElf(file)
  const addressOf = (symbol: string) => {
    const address = find(symbol)
    if (address === undefined) throw new Error(`no symbol ${symbol}`)
    return address
  }
  return {
    ...process,
    pid: asPid(process.pid),
    file,
    addressOf,
    offsetOf: (symbol) => addressToFileOffset(facts, asVirtualAddress(addressOf(symbol)))!,
    sizeOf: (symbol) => functions.find(({ name }) => name === symbol)!.size,
    async tell(command) {
      const before = answers()
      process.child.stdin!.write(`${command}\n`)
      await waitUntil(() => answers() > before)
      return process.texts.stdout.split('\n').at(-2)!
    },
    byteAt(symbol) {
      const memory = openSync(`/proc/${process.pid}/mem`, 'r')
      try {
        const byte = Buffer.alloc(1)
        readSync(memory, byte, 0, 1, addressOf(symbol))
        return byte[0]!
      } finally {
        closeSync(memory)
      }
    },
  }
}
