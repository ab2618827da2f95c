import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openWorkshop, type Workshop } from '../../test/support/build-elf.ts'
import { waits, whileWaiting } from '../../test/support/waiting-program.ts'
import { readExports } from '../elf/exports.ts'
import { returnHookEvidence } from './return-hooks.ts'

let workshop: Workshop
beforeAll(() => {
  workshop = openWorkshop()
})
afterAll(() => workshop.remove())

const able = { seesHookedReturns: true, returnProbesPassSeccomp: true }
const free = { isFiltered: false, hasShadowStack: false, isShellJob: false, watchesChildren: false }

describe('returnHookEvidence', () => {
  const throwing = `
    #include <cstdio>
    int main() { try { std::puts("runs"); std::fflush(stdout); if (std::getchar() == 'x') throw 1; } catch (int) { } }
  `
  const judge = (program: string, kernel = able, circumstances = free) =>
    whileWaiting(program, (modules) => {
      const { harmless, reason, unwinders, catchers } = returnHookEvidence(modules, kernel, circumstances)
      const watched = unwinders.map(({ module }) => module.name)
      return { harmless, reason, watched, catchers: catchers.map(({ name }) => name) }
    })

  test('a C program that nothing unwinds', async () => {
    expect(await judge(workshop.build('plain-c', waits))).toEqual({
      harmless: true,
      reason: 'no unwinder is loaded',
      watched: [],
      catchers: [],
    })
  })

  test('a C++ program: its unwinder is watched, or nothing can be done', async () => {
    const program = workshop.build('plain-cpp', throwing, [], 'g++')
    expect(await judge(program)).toMatchObject({
      harmless: true,
      watched: ['libgcc_s.so.1'],
      catchers: ['libstdc++.so.6'],
    })
    const without = await judge(program, { ...able, seesHookedReturns: false })
    expect(without.harmless).toBe(false)
    expect(without.reason).toMatch(/^libgcc_s\.so\.1: an unwinder may run/)
    expect(without.watched).toEqual([])
  })

  test('exceptions are followed up to where they are caught, unless somebody else may catch them', async () => {
    const followed = (program: string) =>
      whileWaiting(program, (modules) =>
        returnHookEvidence(modules, able, free).unwinders.flatMap(({ throwing }) => throwing.length),
      )
    expect(await followed(workshop.build('plain-cpp', throwing, [], 'g++'))).toEqual([3])
    const ownRuntime = `
      #include <stdio.h>
      int _Unwind_RaiseException(void *);
      int main(int argc) { puts("runs"); fflush(stdout); if (getchar() == 'x') _Unwind_RaiseException(0); }
    `
    expect(await followed(workshop.build('own-runtime', ownRuntime, ['-lgcc_s']))).toEqual([0])
  })

  test('the watched functions are where the unwinder has them', async () => {
    await whileWaiting(workshop.build('plain-cpp', throwing, [], 'g++'), (modules) => {
      const { module, addresses } = returnHookEvidence(modules, able, free).unwinders[0]!
      const exports = readExports(module.image)
      const exported = [
        '_Unwind_RaiseException',
        '_Unwind_Resume',
        '_Unwind_ForcedUnwind',
        '_Unwind_Backtrace',
      ]
      const expected = exported.map((name) => exports.find(name)!.address)
      expect(addresses).toEqual(expect.arrayContaining(expected))
    })
  })

  test('an unwinder that is linked in is watched there', async () => {
    for (const [name, flags] of [
      ['static-cpp', ['-static']],
      ['static-libgcc', ['-static-libgcc', '-static-libstdc++']],
    ] as const) {
      const program = workshop.build(name, throwing, flags, 'g++')
      expect(await judge(program), name).toMatchObject({ harmless: true, watched: [name], catchers: [name] })
    }
  })

  test('an unwinder that cannot be found is not watched', async () => {
    for (const [name, flags] of [
      ['stripped-static', ['-static', '-s']],
      ['stripped-libgcc', ['-static-libgcc', '-static-libstdc++', '-s']],
    ] as const) {
      const program = workshop.build(name, throwing, flags, 'g++')
      expect((await judge(program)).harmless, name).toBe(false)
    }
  })

  test.each([
    ['swapcontext', '#include <ucontext.h>\nucontext_t a, b;\nvoid f(void) { swapcontext(&a, &b); }\n', []],
    [
      'swapcontext',
      '#include <ucontext.h>\nucontext_t a, b;\nvoid f(void) { swapcontext(&a, &b); }\n',
      ['-static'],
    ],
    ['jump_fcontext', 'void jump_fcontext(void) { }\n', []],
    [
      'my_switch',
      'void my_switch(void **from, void *to);\n__asm__(".globl my_switch\\n.type my_switch,@function\\nmy_switch: mov %rsp,(%rdi); mov %rsi,%rsp; ret");\n',
      [],
    ],
  ])('%s switches stacks (%#)', async (name, source, flags) => {
    const program = workshop.build(`switches-${name}-${flags.length}`, source + waits, flags)
    const { harmless, reason } = await judge(program)
    expect(harmless).toBe(false)
    expect(reason).toBe(`${basename(program)}: ${name} switches stacks`)
  })

  test('runtimes that read the stack by themselves', async () => {
    const go = '__asm__(".section .gopclntab,\\"a\\"\\n.quad 1\\n.text");\n'
    expect((await judge(workshop.build('go', go + waits))).reason).toBe(
      'the Go runtime walks and moves stacks',
    )
    const sanitized = workshop.build('sanitized', waits, ['-fsanitize=address'])
    expect(await judge(sanitized)).toMatchObject({ harmless: false })
  })

  test('a shadow stack', async () => {
    const program = workshop.build('plain-c', waits)
    expect(await judge(program, able, { ...free, hasShadowStack: true })).toMatchObject({
      harmless: false,
      reason: 'its shadow stack has copies of the return addresses',
    })
  })

  test('seccomp, where the kernel lets it kill for a return probe', async () => {
    const program = workshop.build('plain-c', waits)
    const kills = { ...able, returnProbesPassSeccomp: false }
    expect(await judge(program, able, { ...free, isFiltered: true })).toMatchObject({ harmless: true })
    expect(await judge(program, kills, free)).toMatchObject({ harmless: true })
    expect(await judge(program, kills, { ...free, isFiltered: true })).toMatchObject({ harmless: false })
    const source = '#include <sys/prctl.h>\nvoid f(void) { prctl(PR_SET_NAME, "x"); }\n'
    expect((await judge(workshop.build('filters', source + waits), kills, free)).reason).toMatch(
      /^prctl: it may/,
    )
  })

  test('the job of a shell, which would see it stopped', async () => {
    const job = { ...free, isShellJob: true }
    expect(await judge(workshop.build('plain-c', waits), able, job)).toMatchObject({ harmless: true })
    expect(await judge(workshop.build('plain-cpp', throwing, [], 'g++'), able, job)).toMatchObject({
      harmless: false,
      watched: [],
    })
  })

  test('node itself', async () => {
    const script = 'require("node:fs").writeSync(1, "runs"); setTimeout(() => {}, 60_000)'
    const { reason } = await whileWaiting(
      process.execPath,
      (modules) => returnHookEvidence(modules, able, free),
      {},
      ['-e', script],
    )
    expect(reason).toBe('V8 walks the stack')
  })
})
