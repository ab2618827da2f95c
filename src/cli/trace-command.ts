import { type CommandDescription, traceSynopsis } from './help.ts'
import { traceOptions } from './option-table.ts'

/** `utrace` without a subcommand. */
export const traceCommand: CommandDescription = {
  synopsis: traceSynopsis(),
  summary:
    'utrace: function tracer for C and C++ programs. Prints every call with its duration and its place in the call ' +
    'stack, live; the program is not recompiled and not changed.',
  examples: [
    { purpose: 'trace a program from its start', run: 'sudo utrace -c "sort -n numbers.txt"' },
    { purpose: 'trace a running process; Ctrl-C leaves it running', run: 'sudo utrace -p 1234' },
    {
      purpose: 'only some functions, and no library calls',
      run: "sudo utrace -f 'parse_*,Lexer::*' --lib='' -- ./server",
    },
    {
      purpose: 'what took a millisecond or more, to a file',
      run: 'sudo utrace --time-filter 1ms -o trace.txt -- ./server',
    },
  ],
  options: traceOptions,
  notes: [
    'Commands: utrace stat (sums, made in the kernel), record (to a file), replay, report, graph, diff, export (flame graphs, Perfetto, pprof and more), ' +
      "info, dump; each has its own --help. A program of such a name is traced with 'utrace -- NAME'.",
    'PATTERN is a glob: * and ? match any characters, / and :: included, and [a-z] one of a set. It applies to the ' +
      'demangled name, to that name without its arguments, and to the linkage name. Options that take a PATTERN may be ' +
      'given again and take comma lists.',
    'Long options may be cut short as long as they stay unique. Exit status: that of the program (128 + n after ' +
      'signal n); 1 when utrace fails, 2 for wrong usage.',
  ],
}
