import { readFileSync } from 'node:fs'
import { fileSource } from '../../src/elf/file-source.ts'
import { readFunctions } from '../../src/elf/functions.ts'
import { parseElf } from '../../src/elf/image.ts'
import { NotMeasured, programTimes, run } from '../measure.ts'
import { utrace } from '../paths.ts'
import type { Suite } from '../suite.ts'
import * as tools from '../tools.ts'
import { callSuite } from './calls.ts'

/** Every function begins with `push %rbp`, which the kernel emulates. */
const pushes = ['-O0', '-fcf-protection=none']

const functions = (...symbols: string[]): tools.TracedFunctions => ({
  utrace: ['-f', symbols.join(','), '--no-lib', '*'],
  symbols,
})

const ours = [
  tools.native,
  tools.floor,
  tools.utraceStat,
  tools.utraceFile,
  tools.utraceNull,
  tools.utraceJson,
  tools.utraceRecord,
]

/** All functions of a program, but for the start-up code that no tool may put a return probe on. */
function allFunctions(program: string): tools.TracedFunctions {
  const source = fileSource(program)
  try {
    const image = parseElf(source, program)
    const startUp =
      /^(?:_start|_init|_fini|_dl_relocate_static_pie|deregister_tm_clones|register_tm_clones|frame_dummy|__do_global_dtors_aux)$|\.cold|@/
    const symbols = readFunctions(image)
      .map(({ symbol }) => symbol)
      .filter((symbol) => !startUp.test(symbol))
    return { utrace: ['--no-lib', '*'], symbols }
  } finally {
    source.close()
  }
}

const busiestCount = 50

async function busiestFunctions(program: string): Promise<tools.TracedFunctions> {
  const options = ['--format', 'json', '--sort', 'calls', '--limit', String(busiestCount), '--no-lib', '*']
  const counted = await run([utrace, 'stat', ...options, '--', program, '1'], { limitMs: 60_000 })
  const line = counted.stderr.split('\n').find((text) => text.startsWith('{"'))
  if (line === undefined) throw new NotMeasured(`no sums of the calls of SQLite: ${counted.stderr}`)
  const { functions: rows } = JSON.parse(line) as { functions: { symbol: string }[] }
  return functions(...rows.map(({ symbol }) => symbol))
}

/** SQLite does the same at every unit of work: one unit is what two units have more than one. */
async function callsPerUnit({ program, functions: traced }: tools.Job): Promise<number> {
  const callsOf = async (amount: number) => {
    const words = [utrace, '-o', '/dev/null', ...traced.utrace, '--', program, String(amount)]
    const result = await run(words, { limitMs: 60_000 })
    programTimes(result)
    const { calls, lost } = tools.utraceSummary(result)
    if (lost > 0) throw new NotMeasured(`${lost} events lost while counting the calls of SQLite`)
    return calls
  }
  return (await callsOf(2)) - (await callsOf(1))
}

const sqliteTools = [
  tools.native,
  tools.floor,
  tools.utraceFile,
  tools.utraceJson,
  tools.utraceEntry,
  tools.utraceRecord,
  tools.uftracePg,
  tools.callgrind,
]

export const programSuites: readonly Suite[] = [
  callSuite({
    name: 'leaf',
    title: 'A tight loop over a leaf function that begins with `push`',
    recipe: { source: 'leaf.c', flags: pushes },
    amount: 1_000_000,
    functionsOf: () => functions('leaf'),
    tools: [
      ...ours,
      tools.utraceRet,
      tools.utraceSample,
      tools.utraceTime,
      tools.bpftraceCount,
      tools.bpftracePrint,
      tools.uftracePg,
      tools.uftraceDynamic,
      tools.gdb,
      tools.callgrind,
    ],
  }),
  callSuite({
    name: 'fib',
    title: 'Recursion: `fib(16)`',
    recipe: { source: 'fib.c', flags: pushes },
    amount: 1_000_000,
    functionsOf: () => functions('fib'),
    tools: [...ours, tools.utraceDepth, tools.bpftraceCount, tools.uftracePg, tools.callgrind],
  }),
  callSuite({
    name: 'sqlite-o2',
    title: 'SQLite at `-O2 -fcf-protection=full`, all its functions',
    recipe: { source: 'sqlite.c', flags: ['-O2', '-fcf-protection=full'], withSqlite: true },
    amount: 10,
    functionsOf: allFunctions,
    callsPerUnit,
    tools: sqliteTools,
  }),
  callSuite({
    name: 'sqlite-busiest',
    title: `The same, of its functions the ${busiestCount} that are called most`,
    recipe: { source: 'sqlite.c', flags: ['-O2', '-fcf-protection=full'], withSqlite: true },
    amount: 10,
    functionsOf: busiestFunctions,
    callsPerUnit,
    tools: [tools.native, tools.floor, tools.utraceFile, tools.utraceEntry, tools.bpftraceCount],
    remarks:
      'bpftrace puts its probes on the first instruction, which is `endbr64`, and takes a tenth of a second to remove each: ' +
      'with all functions it would end after minutes.',
  }),
  callSuite({
    name: 'sqlite-o0',
    title: 'SQLite at `-O0`, all its functions',
    recipe: { source: 'sqlite.c', flags: ['-O0', '-fcf-protection=none'], withSqlite: true },
    amount: 10,
    functionsOf: allFunctions,
    callsPerUnit,
    tools: sqliteTools,
  }),
  ...(['1', '0'] as const).map((throwing) =>
    callSuite({
      name: throwing === '1' ? 'throws' : 'throws-not',
      title:
        throwing === '1'
          ? 'C++, five levels of calls, an exception through all of them at every hundredth time'
          : 'The same code with a result code in the place of the exception',
      recipe: { source: 'throws.cpp', flags: [...pushes, `-DTHROW=${throwing}`] },
      amount: 500_000,
      functionsOf: () => ({
        utrace: ['-f', 'level*', '--no-lib', '*'],
        symbols: ['1', '2', '3', '4', '5'].map((level) => `_ZL6level${level}l`),
      }),
      tools: [
        tools.native,
        tools.floor,
        tools.utraceFile,
        tools.utraceRet,
        tools.utraceJson,
        tools.bpftraceCount,
        tools.uftracePg,
        tools.callgrind,
      ],
      ...(throwing === '1' && {
        remarks:
          'The floor sees no call, and so cannot know that it pays to hook returns again after an exception: its functions have their `ret`s probed.',
      }),
    }),
  ),
  callSuite({
    name: 'library',
    title: 'Library calls: `malloc`, `strlen`, `free`',
    recipe: { source: 'library.c', flags: ['-O2', '-fno-builtin'] },
    amount: 300_000,
    functionsOf: libraryFunctions,
    tools: [...ours, tools.bpftraceCount, tools.ltrace, tools.callgrind],
    remarks:
      '`strlen` is an IFUNC: bpftrace puts its probe on the resolver, and misses every call. Without `-c` or a filter ' +
      'its probes on a library are hit by every process.',
  }),
  callSuite({
    name: 'threads',
    title: 'Two threads that call a leaf function at full speed',
    recipe: { source: 'threads.c', flags: pushes },
    amount: 1_000_000,
    functionsOf: () => functions('leaf'),
    tools: [...ours, tools.utraceTime, tools.bpftraceCount, tools.uftracePg],
  }),
]

function libraryFunctions(): tools.TracedFunctions {
  const symbols = ['malloc', 'strlen', 'free']
  return { utrace: ['-f', symbols.join(',')], file: cLibraryPath(), symbols }
}

function cLibraryPath(): string {
  const mapped = readFileSync('/proc/self/maps', 'latin1')
  const path = /\s(\/\S*\/libc\.so\.6)$/m.exec(mapped)?.[1]
  if (path === undefined) throw new Error('libc.so.6 is not mapped into this process')
  return path
}
