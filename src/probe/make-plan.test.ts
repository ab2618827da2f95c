import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asVirtualAddress } from '../base/units.ts'
import { fileSource } from '../elf/file-source.ts'
import { parseElf } from '../elf/image.ts'
import { moduleCodeOf } from './elf-module.ts'
import { type LibraryCall, type ModulePlanInput, planLibraryCalls, planModule } from './make-plan.ts'
import type { ModuleCode } from './module-code.ts'
import type { FunctionPlan, ModulePlan } from './plan.ts'
import { renderPlan } from './render-plan.ts'

const source = `
  .macro function name
    .globl \\name
    .type \\name, @function
  \\name: .cfi_startproc
  .endm
  .macro end name
    .cfi_endproc
    .size \\name, . - \\name
  .endm
  .text
  .p2align 4
  function _start; .cfi_undefined rip; xor %ebp, %ebp; call pushes; hlt; end _start
  .p2align 4
  function pushes; endbr64; push %rbp; mov %rsp, %rbp; pop %rbp; ret; end pushes
  .set other_name, pushes
  .globl other_name
  .type other_name, @function
  .p2align 4
  function lowers; endbr64; sub $24, %rsp; xor %eax, %eax; call pushes; add $24, %rsp; ret; end lowers
  .p2align 4
  function loops; endbr64; 1: sub $1, %edi; jne 1b; ret; end loops
  .p2align 4
  function loads; mov (%rdi), %rax; test %rax, %rax; ret; end loads
  .p2align 4
  function tests; test %edi, %edi; je 1f; xor %eax, %eax; ret; 1: mov $1, %eax; ret; end tests
  .p2align 4
  function switches; xor %eax, %eax; cmp $3, %edi; ja 1f; lea table(%rip), %rdx; movslq (%rdx,%rdi,4), %rax
    add %rdx, %rax; notrack jmp *%rax; 1: ret; end switches
  .p2align 4
  function tails; jmp pushes; end tails
  .p2align 4
  function leaves; test %edi, %edi; jne outside; ret; end leaves
  .p2align 4
  function spins; push %rbx; 1: jmp 1b; end spins
  .p2align 4
  function empty; ret; end empty
  .p2align 4
  function locks; lock incl (%rdi); ret; end locks
  .p2align 4
  function chills; push %rbx; test %edi, %edi; jne chills.cold; pop %rbx; ret; end chills
  .p2align 4
  function setjmp; endbr64; push %rbx; pop %rbx; ret; end setjmp
  .p2align 4
  function longjmp; endbr64; push %rbx; jmp *%rdx; end longjmp
  .p2align 4
  .globl bare; .type bare, @function
  bare: push %rbx; pop %rbx; ret; .size bare, . - bare
  .globl data; .type data, @function
  data: .byte 0x06, 0x07, 0x0e; .size data, . - data
  .p2align 4
  .globl picks; .type picks, @gnu_indirect_function
  picks: lea pushes(%rip), %rax; ret; .size picks, . - picks
  .p2align 4
  function shares; mov %rdi, %rax; shares_body: cmp $32, %rdx; jb 1f; ret; 1: ret; end shares
  .p2align 4
  .rept 3; .cfi_startproc; nop; ret; .cfi_endproc; .p2align 4; .endr
  nameless: .cfi_startproc; lea (%rdi,%rdx), %rax; jmp shares_body; .cfi_endproc
  .p2align 4
  .globl outside; outside: ret
  .section .text.unlikely, "ax"
  .type chills.cold, @function
  chills.cold: .cfi_startproc; .cfi_def_cfa_offset 16; .cfi_offset rbx, -16; pop %rbx; ret; .cfi_endproc
  .size chills.cold, . - chills.cold
  .section .rodata
  table: .long 0, 0, 0, 0
`

let folder: string
let module: ModuleCode
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'utrace-plan-'))
  const file = join(folder, 'program')
  writeFileSync(`${file}.s`, source)
  execFileSync('gcc', ['-nostdlib', '-static', '-Wl,-z,noseparate-code', '-o', file, `${file}.s`])
  module = moduleCodeOf(parseElf(fileSource(file), file))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const plan = (options: Partial<ModulePlanInput> = {}): ModulePlan =>
  planModule({ ...module, ...defaults, ...options })
const defaults = {
  select: () => true,
  demangle: (symbol: string) => symbol,
  exitProbe: 'auto' as const,
  placement: 'auto' as const,
  returnHooks: { harmless: true, reason: 'nothing unwinds here', mayBeLost: false },
}
const unwinders = { returnHooks: { harmless: false, reason: 'an unwinder may run', mayBeLost: false } }

/** `+offset instruction emulated | exit | reason`. */
function describePlan({ functions, untraced }: ModulePlan, symbol: string): string | undefined {
  const found = functions.find((it) => it.symbol === symbol)
  if (found === undefined) return untraced.find((it) => it.symbol === symbol)?.reason
  const { entry, exit, address } = found
  const depth = entry.stackDisplacement === 0 ? '' : ` at -${entry.stackDisplacement}`
  const sites = exit.kind === 'ret' ? ` ${exit.sites.map((site) => site.instruction).join('+')}` : ''
  const head = `+${entry.address - address} ${entry.instruction}${depth}${entry.emulated ? '' : ' stepped'}`
  return `${head} | ${exit.kind}${sites} | ${found.reason}`
}

describe('where returns may be hooked', () => {
  const hooked = 'return | nothing unwinds here'
  test.each([
    ['_start', 'start-up code, not entered by a call'],
    ['shares', `+0 mov rax, rdi stepped | ${hooked}`],
    ['pushes', `+4 push rbp | ${hooked}`],
    ['lowers', `+0 endbr64 stepped | ${hooked}`],
    ['loops', `+0 endbr64 stepped | ${hooked}`],
    ['loads', `+0 mov rax, [rdi] stepped | ${hooked}`],
    ['empty', `+0 ret stepped | ${hooked}`],
    ['locks', 'the kernel refuses a probe on its first instructions'],
    ['chills', `+0 push rbx | ${hooked}`],
    ['chills.cold', 'cold part of another function'],
    ['setjmp', '+4 push rbx | ret ret | saves its return address: a later jump comes back there'],
    ['longjmp', '+4 push rbx | none | never returns: it jumps to a saved place'],
    ['bare', '+0 push rbx | ret ret | no unwind information tells where its return address is'],
    ['data', 'the kernel refuses a probe on its first instructions'],
    ['picks', 'IFUNC resolver: the program calls the function that it picks'],
  ])('%s', (symbol, expected) => {
    expect(describePlan(plan(), symbol)).toBe(expected)
  })

  test('a conditional jump is taken, unless a jump table could lead before it', () => {
    expect(describePlan(plan(), 'tests')).toMatch(/^\+2 je 0x\w+ \| return/)
    expect(describePlan(plan(), 'switches')).toMatch(/^\+0 xor eax, eax stepped \| return/)
  })
})

describe('where an unwinder may run', () => {
  test.each([
    ['pushes', '+4 push rbp | ret ret | an unwinder may run'],
    ['loops', '+0 endbr64 stepped | ret ret | an unwinder may run'],
    ['chills', '+0 push rbx | ret ret+ret | an unwinder may run'],
    ['leaves', '+2 jne | ret ret | an unwinder may run'],
    ['tails', '+0 jmp | ret  | an unwinder may run'],
    ['spins', '+0 push rbx | none | never returns'],
    ['empty', '+0 ret stepped | entry | it leaves where its calls are counted'],
    ['lowers', '+10 call at -24 | ret ret | an unwinder may run'],
  ])('%s', (symbol, expected) => {
    expect(describePlan(plan(unwinders), symbol)?.replace(/ 0x\w+/, '')).toBe(expected)
  })
})

describe('where an unwinder is watched, which takes hooks away', () => {
  const watched = { returnHooks: { harmless: true, reason: 'it is watched', mayBeLost: true } }
  test.each([
    ['pushes', '+4 push rbp | return | it is watched'],
    ['lowers', '+10 call at -24 | ret ret | a hook would need a single step at its entry too'],
    ['loops', '+0 endbr64 stepped | return | it is watched'],
    ['empty', '+0 ret stepped | return | it is watched'],
  ])('%s', (symbol, expected) => {
    expect(describePlan(plan(watched), symbol)?.replace(/ 0x\w+/, '')).toBe(expected)
    const forced = describePlan(plan({ ...watched, exitProbe: 'return' }), symbol)
    expect(forced).toMatch(/return \| it is watched$/)
  })
})

test('code that runs at any address is seen through', () => {
  const folder = mkdtempSync(join(tmpdir(), 'utrace-plan-'))
  try {
    const path = join(folder, 'switch')
    const cases = Array.from({ length: 12 }, (_, i) => `case ${i}: return g(${(i * 37) % 101});`).join(' ')
    const c = `int g(int); int g(int x) { __asm__ volatile(""); return x; } int f(unsigned x) { switch (x) { ${cases} } return 0; }`
    writeFileSync(`${path}.c`, c)
    execFileSync('gcc', [
      '-O2',
      '-fPIC',
      '-shared',
      '-fno-inline',
      '-fcf-protection=full',
      `${path}.c`,
      '-o',
      path,
    ])
    const file = fileSource(path)
    const code = moduleCodeOf(parseElf(file, path))
    const select = (symbol: string) => symbol === 'f'
    const entryOf = (from: ModuleCode) => planModule({ ...from, ...defaults, select }).functions[0]!.entry
    expect(entryOf(code).instruction).toMatch(/^ja /)
    expect(entryOf({ ...code, pointers: undefined }).instruction).toBe('endbr64')
    file.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('what is asked for is done where it does no harm: by the evidence of the process, and of the function', () => {
  expect(describePlan(plan({ ...unwinders, exitProbe: 'return' }), 'pushes')).toMatch(
    /none \| an unwinder may run$/,
  )
  expect(describePlan(plan({ exitProbe: 'ret' }), 'pushes')).toMatch(/ret ret \| asked for$/)
  expect(describePlan(plan({ exitProbe: 'return' }), 'setjmp')).toMatch(/ret ret/)
  expect(plan({ exitProbe: 'return' }).functions.some(({ symbol }) => symbol === '_start')).toBe(false)
})

test('placement entry takes the first instruction of all', () => {
  const { functions } = plan({ placement: 'entry' })
  expect(functions.every(({ entry, address }) => entry.address === address)).toBe(true)
})

test('a function is chosen by any of its names, and shows the one that was', () => {
  const { functions, untraced } = plan({ select: (symbol) => symbol === 'other_name' })
  expect([functions.map((it) => [it.symbol, it.aliases]), untraced]).toEqual([
    [['other_name', ['pushes']]],
    [],
  ])
})

test('no two probes share a place, and every one is where its address is in the file', () => {
  const { functions } = plan(unwinders)
  const sites = functions.flatMap(({ entry, exit }) => [entry, ...(exit.kind === 'ret' ? exit.sites : [])])
  expect(new Set(sites.map((site) => site.fileOffset)).size).toBe(sites.length)
  for (const site of sites) expect(module.toFileOffset(site.address)).toBe(site.fileOffset)
})

test('library calls: one probe for each implementation, whatever the names that lead there', () => {
  const address = (symbol: string) => module.functions.find((it) => it.symbol === symbol)!.address
  const calls: LibraryCall[] = [
    { symbol: 'copy', addresses: [address('pushes'), address('tests')] },
    { symbol: 'move', addresses: [address('pushes')] },
    { symbol: 'picked', addresses: [address('picks')] },
    { symbol: 'nowhere', addresses: [asVirtualAddress(0x10)] },
  ]
  const { functions, untraced } = planLibraryCalls({ ...module, ...defaults, calls })
  const brief = ({ symbol, kind, aliases, size }: FunctionPlan) => [
    symbol,
    kind,
    aliases.includes('move'),
    size,
  ]
  expect(functions.map(brief)).toEqual([
    ['copy', 'library-call', true, 10],
    ['copy', 'library-call', false, 13],
  ])
  expect(untraced.map(({ symbol, reason }) => `${symbol}: ${reason}`)).toEqual([
    'picked: IFUNC resolver: the program calls the function that it picks',
    'nowhere: its code is not in the file',
  ])
})

test('a library call is counted while its return address is on top of the stack, whatever its way out', () => {
  const address = module.functions.find(({ symbol }) => symbol === 'lowers')!.address
  const calls: LibraryCall[] = [{ symbol: 'lowers', addresses: [address] }]
  const { functions } = planLibraryCalls({ ...module, ...defaults, ...unwinders, calls })
  expect(functions.map(({ entry }) => entry.stackDisplacement)).toEqual([0])
})

test('the rendered plan has a row for each function, what is left out, and totals', () => {
  const some = plan({
    ...unwinders,
    select: (symbol) => ['pushes', 'loads', 'spins', '_start'].includes(symbol),
  })
  const text = renderPlan('program', some, (name) => `<${name}>`)
  expect(text.replace(/0x\w+/g, (address) => '@'.repeat(address.length))).toBe(GOLDEN)
})

const GOLDEN = `\
<program>
 ADDRESS  SIZE  ENTRY           AT        EXIT          COST  WHY                  FUNCTION
@@@@@@@@    10  +4 push rbp     emulated  1 × ret   ~10.5 µs  an unwinder may run  <pushes>
@@@@@@@@     7  mov rax, [rdi]  stepped   1 × ret   ~20.0 µs  an unwinder may run  <loads>
@@@@@@@@     3  push rbx        emulated  inferred   ~0.5 µs  never returns        <spins>

not traced
  <_start>  start-up code, not entered by a call

3 functions traced, 1 not traced
entries: 2 emulated (1 of them behind the first instruction), 1 stepped
exits: 0 return probes, 2 by their ret instructions, 1 inferred
costs are estimates, for a virtual machine: on bare metal a single step is about ten times cheaper
`

test('leaves code out that may be written to, where the kernel puts no probes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'utrace-plan-'))
  try {
    const path = join(folder, 'writable')
    writeFileSync(`${path}.c`, 'int f(int x) { return x; } void _start(void) { f(1); __builtin_trap(); }')
    execFileSync('gcc', [
      '-nostdlib',
      '-static',
      '-no-pie',
      '-Wl,--omagic,--no-warn-rwx-segments',
      `${path}.c`,
      '-o',
      path,
    ])
    const file = fileSource(path)
    const plan = planModule({
      ...moduleCodeOf(parseElf(file, path)),
      exitProbe: 'auto',
      placement: 'auto',
      returnHooks: { harmless: true, reason: 'harmless', mayBeLost: false },
      demangle: (symbol) => symbol,
      select: (symbol) => symbol === 'f',
    })
    file.close()
    expect(plan).toEqual({
      functions: [],
      untraced: [
        { symbol: 'f', name: 'f', reason: 'its code may be written to: the kernel puts no probes there' },
      ],
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})
