import type { Build } from '../support/build.ts'
import type { CommandCase } from './command-case.ts'

const toFile = ['--format', 'jsonl', '-o', '{OUT}']
const run = (
  build: Build,
  name: string,
  words: readonly string[],
  rest: Partial<CommandCase>,
): CommandCase => ({
  name,
  build,
  words: [...words, '--', '{TARGET}'],
  ...rest,
})
const calls: Build = { source: 'static-functions.c', flags: ['-O2'] }
const libraryCalls: Build = { source: 'library-calls.c', flags: ['-O2', '-fno-builtin'] }
const operators: Build = { source: 'operators.cpp', flags: ['-O2'] }
const hidden: Build = { source: 'anonymous-namespace.cpp', flags: ['-O2'] }
const libraries: Build = { source: 'libraries.c', flags: ['-O2'], libraries: ['lib-a.c', 'lib-b.c'] }
const sleeper: Build = { source: 'sleeper.c', flags: ['-O0'] }
const threads: Build = { source: 'threads.c', flags: ['-O2'] }

const began = (symbol: string, depth?: number) =>
  new RegExp(`"type":"begin".*"depth":${depth ?? '\\d+'},.*"symbol":"${symbol}"`)
const anyOf = (symbols: string) => new RegExp(`"symbol":"(?:${symbols})"`)
/** Control, bidi and line-separator characters: what may not reach a terminal. */
const hazard = /[^\P{C}\n]|[\u2028\u2029]/u
const escapeCharacter = new RegExp(String.fromCharCode(0x1b))
/** What the probes took is taken off: of a short call nothing may be left. */
const shortTime = String.raw`(?:\d+\.\d{3} ?(?:ns|us|ms|s )|<0\.1 us)`
const graphTime = String.raw` *${shortTime} \| `

/** Every option, seen from the outside. */
export const optionCases: readonly CommandCase[] = [
  // Output
  run(calls, 'the graph', ['-o', '{OUT}', '-l', ''], {
    trace: [
      / *DURATION \| FUNCTION\n/,
      new RegExp(
        [
          String.raw` +\| main\(\) \{`,
          String.raw` +\|   weak\(\) \{`,
          String.raw` +\|     not_exported\(\) \{`,
          String.raw` +\|       visible\(\) \{`,
          String.raw` +\|         also_hidden\(\) \{`,
          String.raw`${graphTime}          hidden\(\);`,
          String.raw`${graphTime}          hidden\(\);`,
          String.raw`${graphTime}        \} /\* also_hidden \*/`,
          String.raw`${graphTime}      \} /\* visible \*/`,
          '',
        ].join('\\n'),
      ),
      /\n[^\n]*\| \} \/\* main \*\/\n/,
    ],
  }),
  run(calls, 'the trace goes to stderr, and the summary last', [], {
    stderr: [
      /\| main\(\) \{\n/,
      /\nutrace: [\d,]+ calls, 1 thread, 0 events lost, \d+ functions traced.*\n$/,
    ],
  }),
  run(calls, '--flat', ['--flat', '-o', '{OUT}'], {
    trace: [
      /→ \[0\] main\n/,
      /→ \[4\] also_hidden\n/,
      new RegExp(String.raw`↔ \[5\] hidden \[ *${shortTime}\]\n`),
      new RegExp(String.raw`← \[0\] main \[ *${shortTime}\]\n`),
    ],
  }),
  run(calls, '--format=flat', ['--format=flat', '-o', '{OUT}'], { trace: [/→ \[0\] main\n/] }),
  run(calls, '--cpuid, --tid, --timestamp', ['--cpuid', '--tid', '--timestamp', '-o', '{OUT}'], {
    trace: [/ *CPU +TID +TIMESTAMP +DURATION \| FUNCTION\n/, /\n +\d+ +\d+ +\d+\.\d{9} +\| main\(\) \{\n/],
  }),
  run(libraryCalls, '--libname', ['--libname', '-o', '{OUT}'], {
    trace: [
      /\| main@library-calls\(\) \{\n/,
      /strlen(?:\(\))?@libc\.so\.6(?:\(\))?;\n/,
      /\} \/\* copy@library-calls \*\//,
    ],
  }),
  run(threads, 'several threads bring the TID column', ['-o', '{OUT}'], {
    trace: [/ *TID +DURATION \| FUNCTION\n/, /-{5,}\+-{5,}\n/],
  }),
  run({ source: 'hostile-names.c', compiler: 'clang' }, 'hostile names are escaped, graph', ['-o', '{OUT}'], {
    notInTrace: [hazard, /\nfeed/],
    trace: [/\[31mred/],
  }),
  run({ source: 'hostile-names.c', compiler: 'clang' }, 'hostile names are escaped, JSON', toFile, {
    notInTrace: [hazard],
    trace: [/\[31mred/],
  }),
  run(calls, '--color=always', ['--color=always', '-o', '{OUT}'], { trace: [escapeCharacter] }),
  run(calls, 'no colour in a file', ['-o', '{OUT}'], { notInTrace: [escapeCharacter] }),

  // Which functions
  run(calls, '-f with a glob', [...toFile, '-f', '*hidden'], {
    trace: [began('also_hidden', 0), began('hidden', 1)],
    notInTrace: [anyOf('main|visible|weak')],
  }),
  run(calls, '-fPAT, repeated, with a comma list', [...toFile, '-fmain', '-fvis*,wea[k]'], {
    trace: [began('main', 0), began('weak', 1), began('visible', 2)],
    notInTrace: [anyOf('hidden|also_hidden|not_exported')],
  }),
  run(calls, '--no-function', [...toFile, '--no-function', '*hidden,wea?'], {
    trace: [began('main', 0), began('not_exported', 1), began('visible', 2)],
    notInTrace: [anyOf('hidden|also_hidden|weak')],
  }),
  run(
    operators,
    '-f with a C++ name: slash and arguments',
    [...toFile, '-f', 'operator/*', '--function=number::operator bool*'],
    {
      trace: [began('_ZdvRK6numberS1_'), began('_ZNK6numbercvbEv')],
      notInTrace: [anyOf('main|_ZplRK6numberS1_')],
    },
  ),
  run(hidden, '-f with a bare C++ name', [...toFile, '-f', '(anonymous namespace)::hidden'], {
    trace: [/"name":"\(anonymous namespace\)::hidden\(int\)"/],
    notInTrace: [anyOf('main')],
  }),
  run(hidden, '-f: `*` matches `::`', [...toFile, '-f', 'named*versioned'], {
    trace: [/named::v1::versioned\(int\)/],
    notInTrace: [anyOf('main')],
  }),
  run(libraryCalls, '-l with no library keeps the program', [...toFile, '-l', ''], {
    trace: [began('main', 0), began('copy', 1), began('tail_call')],
    notInTrace: [anyOf('strlen|malloc|memcpy|free')],
  }),
  run(libraryCalls, '--no-lib', [...toFile, '--no-lib', 'libc.so*'], {
    trace: [began('main', 0), began('copy', 1)],
    notInTrace: [anyOf('strlen|malloc|memcpy|free')],
  }),
  run(libraryCalls, '-l keeps its own', [...toFile, '-l', 'libc.*'], {
    trace: [began('main', 0), began('strlen', 2)],
  }),
  run(libraries, '-l chooses among libraries', [...toFile, '-l', 'lib-a*'], {
    trace: [began('a_twice'), began('run'), began('callback')],
    notInTrace: [anyOf('b_direct|printf|puts')],
  }),
  run(libraries, 'inside libraries nothing is traced by default', toFile, {
    trace: [began('a_twice'), began('callback')],
    notInTrace: [anyOf('a_inner|b_inner|b_apply')],
  }),
  run(libraries, '--nest-lib of one library', [...toFile, '--nest-lib', 'lib-b.so'], {
    trace: [began('b_inner'), began('b_apply')],
    notInTrace: [anyOf('a_inner')],
  }),

  // What is shown
  run(calls, '--max-depth', [...toFile, '--max-depth', '2'], {
    trace: [began('main', 0), began('weak', 1), began('visible', 1)],
    notInTrace: [/"depth":[2-9]/],
  }),
  run(
    sleeper,
    '--time-filter hides whole calls and keeps depths',
    [...toFile, '-l', '', '--time-filter', '2.5ms'],
    {
      trace: [
        began('main', 0),
        began('idle', 1),
        began('long_sleep', 2),
        began('short_sleep', 3),
        began('short_sleep', 1),
      ],
      notInTrace: [anyOf('quick')],
    },
  ),
  run(sleeper, '--time-filter with a blank before its unit', [...toFile, '--time-filter=20 ms'], {
    trace: [began('main', 0), began('idle', 1), began('long_sleep', 2)],
    notInTrace: [anyOf('quick|short_sleep')],
  }),
  run(sleeper, '--time-filter 1m is a minute', ['--time-filter', '1m', '-o', '{OUT}'], {
    stdout: 'slept\n',
    notInTrace: [/main|long_sleep/],
  }),
  run(threads, '--tid-filter of no thread of it', [...toFile, '--tid-filter', '1'], {
    notInTrace: [/"begin"/],
  }),

  // The command
  {
    name: '-c: quotes and backslashes as in a shell',
    build: { source: 'arguments.c' },
    words: ['-o', '{OUT}', '-c', `'{TARGET}' a\\ b "c d" 'e "f"' "g 'h'" "\\"" '' "\\\\" $HOME *.c; | >x`],
    stdout: '[a b]\n[c d]\n[e "f"]\n[g \'h\']\n["]\n[]\n[\\]\n[$HOME]\n[*.c;]\n[|]\n[>x]\n',
  },
  {
    name: 'options end at the program',
    build: { source: 'arguments.c' },
    words: ['-o', '{OUT}', '{TARGET}', '--flat', '-c', 'x', '--', '-o'],
    stdout: '[--flat]\n[-c]\n[x]\n[--]\n[-o]\n',
  },
  {
    name: 'a program found in PATH, stripped: its library calls, and a line that says what is missing',
    words: ['--libname', '-o', '{OUT}', '-c', 'ls -ld /'],
    stdout: /^d.* \/\n$/,
    trace: [/@libc\.so\.6/],
    stderr: [/utrace: .*\bls\b.*(?:symbol|stripped)/i],
  },
  {
    name: 'node, with its hundred thousand symbols',
    words: [
      ...toFile,
      '-f',
      'v8::internal::Heap::*',
      '-l',
      '',
      '--',
      process.execPath,
      '-e',
      'console.log(1)',
    ],
    stdout: '1\n',
    trace: [/"name":"v8::internal::Heap::/],
    notInTrace: [/"name":"(?!(?:void )?v8::internal::Heap::)/, /"type":"lost"/],
  },
  { name: 'a program without anything to say', words: ['-c', 'true'], stdout: '' },
  {
    name: '-u: ids, groups and surroundings',
    words: ['-o', '{OUT}', '-u', 'nobody', '-c', `sh -c 'id; echo "$HOME $USER $LOGNAME"'`],
    stdout:
      /^uid=65534\(nobody\) gid=65534\(nogroup\) groups=65534\(nogroup\)\n\/nonexistent nobody nobody\n$/,
  },
  {
    name: '--no-randomize-addr',
    words: ['-o', '{OUT}', '--no-randomize-addr', '--', 'cat', '/proc/self/personality'],
    stdout: '00040000\n',
  },
  {
    name: 'addresses are randomized otherwise',
    words: ['-o', '{OUT}', '--', 'cat', '/proc/self/personality'],
    stdout: '00000000\n',
  },
  run(libraryCalls, '--plan prints and does not run', ['--plan'], {
    stdout: /copy[\s\S]*functions traced/,
    notOnStderr: [/calls/],
  }),
  run(calls, '-d lists what is not traced', ['-d', '-o', '{OUT}'], { stderr: [/_start/] }),
]
