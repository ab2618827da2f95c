import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UsageError } from '../base/errors.ts'
import { parseArguments, type TraceOptions } from './options.ts'

function optionsOf(words: readonly string[]): TraceOptions {
  const invocation = parseArguments(words)
  if (!('options' in invocation)) throw new Error(`no trace: ${invocation.kind}`)
  return invocation.options
}

const defaults: TraceOptions = {
  target: { kind: 'command', words: ['true'] },
  functions: ['*'],
  noFunctions: [],
  libs: ['*'],
  noLibs: [],
  nestLibs: [],
  maxDepth: undefined,
  timeFilterNs: 0 as TraceOptions['timeFilterNs'],
  rawTimes: false,
  cpuTime: false,
  tidFilter: [],
  columns: { cpu: false, tid: false, timestamp: false },
  clock: 'monotonic',
  libname: false,
  format: 'graph',
  color: 'auto',
  output: undefined,
  user: undefined,
  randomizeAddresses: true,
  followForks: true,
  debug: false,
  exitProbe: 'auto',
  placement: 'auto',
  bufferBytes: undefined,
  lossless: false,
  maxCalls: undefined,
  duration: undefined,
  budget: undefined,
  sampleInterval: undefined,
  startAt: [],
  stopAt: [],
}

test('defaults', () => {
  expect(parseArguments(['true'])).toEqual({ kind: 'trace', options: defaults })
})

test('the forks of a process that is attached to are followed only if asked for', () => {
  expect(optionsOf(['-p', '1']).followForks).toBe(false)
  expect(optionsOf(['-p', '1', '--follow-fork']).followForks).toBe(true)
})

test.each([
  [['-?'], 'help'],
  [['-h'], 'help'],
  [['--help'], 'help'],
  [['--usage'], 'usage'],
  [['-V'], 'version'],
  [['--version'], 'version'],
  [['-p', 'abc', '--help'], 'help'],
  [['-c', 'true', '--plan'], 'plan'],
  [['-p', '1'], 'trace'],
  [['ls', '--help'], 'trace'],
  [['--', '--help'], 'trace'],
])('%j is %s', (words, kind) => {
  expect(parseArguments(words).kind).toBe(kind)
})

describe('the target', () => {
  test.each([
    [
      ['-c', `prog 'a b' ""`],
      ['prog', 'a b', ''],
    ],
    [['--command=ls -l'], ['ls', '-l']],
    [
      ['ls', '-l', '--flat', '-p', '3'],
      ['ls', '-l', '--flat', '-p', '3'],
    ],
    [
      ['--flat', '--', './-odd', '-c', 'x'],
      ['./-odd', '-c', 'x'],
    ],
    [['--', '-odd'], ['-odd']],
    [
      ['ls', ''],
      ['ls', ''],
    ],
  ])('%j runs %j', (words, command) => {
    expect(optionsOf(words).target).toEqual({ kind: 'command', words: command })
  })

  test.each([
    [['-p', '812'], 812],
    [['-p812'], 812],
    [['--pid=4194304'], 4_194_304],
    [['-p', '007'], 7],
  ])('%j', (words, pid) => {
    expect(optionsOf(words).target).toEqual({ kind: 'process', pid })
  })
})

describe('values', () => {
  test.each<[string[], Partial<TraceOptions>]>([
    [['-f', 'a*', '-fb,c'], { functions: ['a*', 'b,c'] }],
    [['--no-function=x', '--no-function', 'y'], { noFunctions: ['x', 'y'] }],
    [['-l', 'libc*', '--lib='], { libs: ['libc*', ''] }],
    [['--no-lib=libm*'], { noLibs: ['libm*'] }],
    [['--nest-lib', 'libc.so*'], { nestLibs: ['libc.so*'] }],
    [['--max-depth=3'], { maxDepth: 3 }],
    [['--max-depth=3', '--max-depth=4'], { maxDepth: 4 }],
    [['--time-filter', '1.5ms'], { timeFilterNs: 1_500_000 as TraceOptions['timeFilterNs'] }],
    [['--time-filter=1m'], { timeFilterNs: 60_000_000_000 as TraceOptions['timeFilterNs'] }],
    [
      ['--tid-filter=7', '--tid-filter', '8,9'],
      { tidFilter: [7, 8, 9] as unknown as TraceOptions['tidFilter'] },
    ],
    [['--cpuid', '--timestamp'], { columns: { cpu: true, tid: false, timestamp: true } }],
    [['--tid'], { columns: { cpu: false, tid: true, timestamp: false } }],
    [['--libname', '-d'], { libname: true, debug: true }],
    [['--flat'], { format: 'flat' }],
    [['--format', 'jsonl'], { format: 'jsonl' }],
    [['--format=graph'], { format: 'graph' }],
    [['--flat', '--format=jsonl'], { format: 'jsonl' }],
    [['--format=jsonl', '--flat'], { format: 'flat' }],
    [['--color=always'], { color: 'always' }],
    [['-o', 'trace.txt'], { output: 'trace.txt' }],
    [['-u', 'nobody'], { user: 'nobody' }],
    [['--no-randomize-addr'], { randomizeAddresses: false }],
    [['--exit-probe=ret', '--placement', 'entry'], { exitProbe: 'ret', placement: 'entry' }],
    [['--no-follow-fork'], { followForks: false }],
    [['--no-follow-fork', '--follow-fork'], { followForks: true }],
    [['--buffer=64K'], { bufferBytes: 65_536 }],
    [['--buffer=5M'], { bufferBytes: 8_388_608 }],
    [['--buffer=4097'], { bufferBytes: 8192 }],
    [['--buffer=512M'], { bufferBytes: 536_870_912 }],
  ])('%j', (words, expected) => {
    expect(optionsOf([...words, 'true'])).toEqual({ ...defaults, ...expected })
  })
})

describe('errors', () => {
  const nothing =
    'nothing to trace: give -c "COMMAND ARGS...", -p PID or -- PROGRAM ARGS... (run \'utrace --help\' for examples)'
  test.each([
    [[], nothing],
    [['--'], nothing],
    [['--flat'], nothing],
    [['-c', 'ls', '-p', '3'], '-c and -p exclude each other: give one thing to trace'],
    [['-c', 'ls', '--', 'ps'], "-c and the program 'ps' exclude each other: give one thing to trace"],
    [['--pid=3', 'ps'], "--pid and the program 'ps' exclude each other: give one thing to trace"],
    [['-p', '3', '-u', 'root'], '-u does not go with -p: a running process keeps its user'],
    [
      ['-p', '3', '--no-randomize-addr'],
      '--no-randomize-addr does not go with -p: a running process keeps its addresses',
    ],
    [['-p', 'abc'], "-p: 'abc' is not a process id: give a number from 1 to 4194304"],
    [['-p', '0'], "-p: '0' is not a process id: give a number from 1 to 4194304"],
    [['-p', '-5'], "-p: '-5' is not a process id: give a number from 1 to 4194304"],
    [['-p', '4194305'], "-p: '4194305' is not a process id: give a number from 1 to 4194304"],
    [['-p', ''], "-p: '' is not a process id: give a number from 1 to 4194304"],
    [['--tid-filter=1,x', 'ls'], "--tid-filter: 'x' is not a thread id: give a number from 1 to 4194304"],
    [
      ['--max-depth', '-1', 'ls'],
      "--max-depth: '-1' is not a depth: give a whole number from 1, the outermost calls",
    ],
    [
      ['--max-depth=x', 'ls'],
      "--max-depth: 'x' is not a depth: give a whole number from 1, the outermost calls",
    ],
    [
      ['--max-depth=0', 'ls'],
      "--max-depth: '0' is not a depth: give a whole number from 1, the outermost calls",
    ],
    [
      ['--sample=1/100', '--budget=5%', 'ls'],
      '--sample and --budget exclude each other: what calls cost that are not in the sample is not counted',
    ],
    [
      ['--sample=100', 'ls'],
      "--sample: '100' is not a sample: give 1/N, one call in N, such as 1/100 (N up to 1000000)",
    ],
    [
      ['--time-filter=5 parsecs', 'ls'],
      "--time-filter: '5 parsecs' is not a duration: give a number and one of ns, us, ms, s, m, h, such as 1.5ms",
    ],
    [['--buffer=1K', 'ls'], "--buffer: '1K' is out of range: give a size from 4K to 512M"],
    [['--buffer=1G', 'ls'], "--buffer: '1G' is out of range: give a size from 4K to 512M"],
    [
      ['--buffer=big', 'ls'],
      "--buffer: 'big' is not a size: give a number of bytes, or one with K, M or G, such as 4M",
    ],
    [['-c', ''], '-c: the command is empty: give a program and its arguments'],
    [['-c', '  '], '-c: the command is empty: give a program and its arguments'],
    [['-c', "'' x"], '-c: the name of the program is empty'],
    [['--', ''], 'the name of the program is empty'],
    [['-c', 'ls "x'], '-c: the " at column 4 is never closed: …"x'],
    [['-o', '', 'ls'], '-o: the argument is empty: give a file'],
    [['-u', '', 'ls'], '-u: the argument is empty: give a user name'],
  ])('%j', (words, message) => {
    expect(() => parseArguments(words)).toThrow(new UsageError(message))
  })

  test('whatever the words, the answer is an invocation or a UsageError of one line', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '-c',
        '-p',
        '--',
        '-d',
        '--flat',
        '--tid-filter=1',
        '-f',
        '--no',
        'ls',
        '--max-depth',
        '3',
        '-?',
      ),
      fc.string({ unit: fc.constantFrom(...'-=cpfxd \n\'"\\1\x1b') }),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (words) => {
        try {
          expect(['help', 'usage', 'version', 'trace', 'plan']).toContain(parseArguments(words).kind)
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError)
          expect((error as Error).message).toMatch(/^[^\p{Cc}]+$/u)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
