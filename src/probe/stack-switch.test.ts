import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { fileSource } from '../elf/file-source.ts'
import { parseElf } from '../elf/image.ts'
import { moduleCodeOf } from './elf-module.ts'
import { findStackSwitch } from './stack-switch.ts'

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

function switchIn(name: string, source: string, flags: readonly string[] = []): string | undefined {
  const path = workshop.build(name, source, [...flags, '-shared', '-fPIC', '-w'])
  const image = parseElf(fileSource(path), path)
  const executable = image.facts.segments.filter((segment) => segment.executable)
  return findStackSwitch(
    moduleCodeOf(image),
    executable.map(({ address, fileSize }) => ({ address, size: fileSize })),
  )
}

const assembler = (instructions: string) =>
  `__asm__(".globl swap\\n.type swap,@function\\nswap: ${instructions}; ret\\n.size swap,.-swap\\n");`

describe('code that switches stacks', () => {
  test.each([
    ['libco and minicoro: from memory', 'mov %rsp,(%rsi); mov (%rdi),%rsp; pop %rbp'],
    ['from a field', 'push %rbx; mov 0x18(%rsi),%rsp; pop %rbx'],
    ['an argument', 'push %rbp; mov %rsp,(%rdi); mov %rsi,%rsp; pop %rbp'],
    ['an argument, in the other encoding', '.byte 0x48,0x8b,0xe7'],
    ['an exchange', 'xchg %rsp,(%rdi)'],
    ['through r12 and r13', 'mov 0x10(%r13),%rsp'],
    ['from a variable', 'mov 0x1000(%rip),%rsp'],
  ])('%s', (name, instructions) => {
    expect(switchIn(name.replaceAll(/\W/g, '-'), assembler(instructions))).toBe('swap')
  })
})

describe('code that stays on its stack', () => {
  test.each([
    ['a frame’s end', 'push %rbp; mov %rsp,%rbp; mov %rbp,%rsp; pop %rbp'],
    ['what alloca restores', 'push %rbp; mov %rsp,%rbp; mov -0x38(%rbp),%rsp; leave'],
    ['an argument register that holds the stack pointer', 'mov %rsp,%rdi; sub $64,%rsp; mov %rdi,%rsp'],
    ['bytes inside of an instruction', 'movabs $0x909027248b48,%rax'],
  ])('%s', (name, instructions) => {
    expect(switchIn(name.replaceAll(/\W/g, '-'), assembler(instructions))).toBeUndefined()
  })

  const allocates = `
    #include <alloca.h>
    void use(void *);
    int vla(int n) { int a[n]; use(a); { char b[n * 3]; use(b); } return a[0]; }
    int loop(int n) { int s = 0; for (int i = 1; i < n; i++) { long c[i]; use(c); s += c[0]; } return s; }
    int allocaed(int n, int m) { char *p = alloca(n); use(p); use(alloca(m)); return *p; }`
  test.each(['gcc', 'clang'])('variable-length arrays and alloca, %s', (compiler) => {
    for (const level of ['-O0', '-O1', '-O2', '-O3']) {
      const path = workshop.build(
        `allocates-${compiler}${level}`,
        allocates,
        [level, '-shared', '-fPIC'],
        compiler,
      )
      const image = parseElf(fileSource(path), path)
      const ranges = image.facts.segments.map(({ address, fileSize }) => ({ address, size: fileSize }))
      expect(findStackSwitch(moduleCodeOf(image), ranges), level).toBeUndefined()
    }
  })
})
