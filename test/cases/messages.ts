import type { CommandCase } from './command-case.ts'

const fails = (
  name: string,
  words: readonly string[],
  status: number,
  message: RegExp,
  rest: Partial<CommandCase> = {},
) => ({
  name,
  words,
  status,
  oneLine: true as const,
  stderr: [/^utrace: /, message],
  stdout: '',
  ...rest,
})
const calls = { source: 'static-functions.c', flags: ['-O2'] }

/** What cannot be done is said in one line, with the status that a shell would give. */
export const messageCases: readonly CommandCase[] = [
  fails(
    'no such command',
    ['-c', 'no-such-command-at-all'],
    127,
    /no-such-command-at-all: command not found/,
  ),
  fails('no such file', ['--', '/no/such/file'], 127, /\/no\/such\/file: [Nn]o such file or directory/),
  fails(
    'a file without execute permission',
    ['--', '{TARGETS}/target.h'],
    126,
    /target\.h: [Pp]ermission denied/,
  ),
  fails('a folder', ['--', '/tmp'], 126, /\/tmp: [Ii]s a directory/),
  fails('a script', ['--', '{TARGETS}/script.sh'], 1, /script\.sh.*script.*\/bin\/sh/),
  fails('not an executable format', ['--', '{GARBAGE}'], 1, /not an? ELF/i),
  fails('32-bit x86', ['--', '{ELF32}'], 1, /32-bit/),
  fails('another architecture', ['--', '{AARCH64}'], 1, /aarch64|arm64/i),
  fails('no such process', ['-p', '4194304'], 1, /4194304.*no such process|no process.*4194304/i),
  fails('a process id that is none', ['-p', 'abc'], 2, /abc/),
  fails('a kernel thread', ['-p', '2'], 1, /\b2\b.*kernel/),
  fails(
    'no function matches',
    ['-f', 'no_such_*', '-l', '', '--', '{TARGET}'],
    1,
    /no function matches.*no_such_\*/i,
    {
      build: calls,
    },
  ),
  fails(
    'an output that cannot be written',
    ['-o', '/no/such/folder/x', '--', '{TARGET}'],
    1,
    /\/no\/such\/folder\/x/,
    {
      build: calls,
    },
  ),
  fails('an output that is a folder', ['-o', '/tmp', '--', '{TARGET}'], 1, /\/tmp.*(?:directory|folder)/, {
    build: calls,
  }),
  fails('no such user', ['-u', 'no-such-user', '--', '{TARGET}'], 1, /no-such-user/, { build: calls }),
  fails('an unknown option', ['--flta', '-c', 'true'], 2, /--flta.*--flat/),
  fails('an unknown short option', ['-Z', '-c', 'true'], 2, /Z/),
  fails('an option without its argument', ['-c'], 2, /(?:-c|command).*argument|argument.*-c/),
  fails('an argument for a flag', ['--flat=yes', '-c', 'true'], 2, /--flat/),
  fails('no target', [], 2, /-c|-p|PROGRAM|program/),
  fails('two targets', ['-c', 'true', '-p', '1'], 2, /-p|--pid/),
  fails('an unbalanced quote', ['-c', `echo 'x`], 2, /quote|never closed/),
  fails('nonsense for a time', ['--time-filter', '5 parsecs', '-c', 'true'], 2, /5 parsecs/),
  fails('nonsense for a depth', ['--max-depth', '-3', '-c', 'true'], 2, /-3/),
  fails(
    'nonsense for a format',
    ['--format', 'xml', '-c', 'true'],
    2,
    /xml.*graph.*flat.*jsonl|graph.*flat.*jsonl.*xml/,
  ),
  { name: '--help', words: ['--help'], stdout: /^Usage: utrace[\s\S]*--time-filter[\s\S]*--nest-lib/ },
  { name: '-?', words: ['-?'], stdout: /^Usage: utrace/ },
  { name: '--usage', words: ['--usage'], stdout: /^Usage: utrace/ },
  { name: '-V', words: ['-V'], stdout: /^utrace \d+\.\d+\.\d+\n$/ },
]
