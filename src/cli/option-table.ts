import { clockHelp, clockNames } from './shown-clock.ts'

/**
 * The options of a command, told once: this drives the parser, `--help`, `--usage` and the documentation.
 */
export interface OptionDefinition<Name extends string = string> {
  /** Long name, without dashes. */
  readonly name: Name
  /** Letters, the one to show first. */
  readonly short?: readonly string[]
  /** What its argument is called; a flag has none. */
  readonly argument?: string
  /** The arguments that there are, where they can be counted. */
  readonly choices?: readonly string[]
  /** What giving it again does: `add` to the earlier ones, or nothing good (`refuse`); by default the last one counts. */
  readonly again?: 'add' | 'refuse'
  /** Answers at once: what follows on the command line is not looked at. */
  readonly answers?: true
  readonly group: string
  readonly help: string
}

/** Spelling, meaning and defaults are those of eBPF-utrace where it has the option. */
export const traceOptions = [
  {
    name: 'command',
    short: ['c'],
    argument: 'COMMAND',
    again: 'refuse',
    group: 'Target',
    help: 'Run and trace COMMAND: a program and its arguments, with quotes and backslashes as in a shell; no shell is run',
  },
  {
    name: 'pid',
    short: ['p'],
    argument: 'PID',
    again: 'refuse',
    group: 'Target',
    help: 'Trace the running process PID with all its threads',
  },
  {
    name: 'user',
    short: ['u'],
    argument: 'USERNAME',
    again: 'refuse',
    group: 'Target',
    help: 'Run the program as USERNAME (or user id), with the groups of that user',
  },
  {
    name: 'no-randomize-addr',
    group: 'Target',
    help: 'Disable address space layout randomization (ASLR)',
  },
  {
    name: 'function',
    short: ['f'],
    argument: 'PATTERN',
    again: 'add',
    group: 'What to trace',
    help: 'Only trace functions matching PATTERN (default "*")',
  },
  {
    name: 'no-function',
    argument: 'PATTERN',
    again: 'add',
    group: 'What to trace',
    help: "Don't trace functions matching PATTERN",
  },
  {
    name: 'lib',
    short: ['l'],
    argument: 'PATTERN',
    again: 'add',
    group: 'What to trace',
    help: 'Only trace library calls to libraries matching PATTERN (default "*")',
  },
  {
    name: 'no-lib',
    argument: 'PATTERN',
    again: 'add',
    group: 'What to trace',
    help: "Don't trace library calls to libraries matching PATTERN",
  },
  {
    name: 'nest-lib',
    argument: 'PATTERN',
    again: 'add',
    group: 'What to trace',
    help: 'Also trace the functions inside libraries matching PATTERN (default: none)',
  },
  {
    name: 'follow-fork',
    group: 'What to trace',
    help: 'Trace child processes and the programs that they run (default for a command)',
  },
  {
    name: 'no-follow-fork',
    group: 'What to trace',
    help: 'Leave child processes alone (default with -p)',
  },
  {
    name: 'cpu-time',
    group: 'What to trace',
    help: 'Also trace how long calls wait or are preempted (the time off CPU), page faults and moves to other CPUs',
  },
  {
    name: 'tid-filter',
    argument: 'TID',
    again: 'add',
    group: 'What to show',
    help: 'Only show the thread TID',
  },
  {
    name: 'max-depth',
    argument: 'DEPTH',
    group: 'What to show',
    help: 'Hide calls nested deeper than DEPTH; outermost calls have depth 1 (default: unlimited)',
  },
  {
    name: 'time-filter',
    argument: 'TIME',
    group: 'What to show',
    help: 'Hide calls that took less than TIME: a number and ns, us, ms, s, m or h (without a unit: ns)',
  },
  {
    name: 'raw-times',
    group: 'What to show',
    help: 'Show durations as measured, with the cost of the probes in them (default: without)',
  },
  { name: 'cpuid', group: 'Output', help: 'Display the CPU' },
  { name: 'tid', group: 'Output', help: 'Display the thread ID' },
  { name: 'timestamp', group: 'Output', help: 'Display the time of each line' },
  { name: 'clock', argument: 'CLOCK', choices: clockNames, group: 'Output', help: clockHelp },
  { name: 'libname', group: 'Output', help: 'Append the library to function names: puts@libc.so.6' },
  {
    name: 'format',
    argument: 'FORMAT',
    choices: ['graph', 'flat', 'jsonl'],
    group: 'Output',
    help: 'Call graph, one line per event, or JSON lines (default: graph)',
  },
  { name: 'flat', group: 'Output', help: 'The same as --format=flat' },
  {
    name: 'output',
    short: ['o'],
    argument: 'FILE',
    again: 'refuse',
    group: 'Output',
    help: 'Send the trace to FILE instead of stderr',
  },
  {
    name: 'color',
    argument: 'WHEN',
    choices: ['auto', 'always', 'never'],
    group: 'Output',
    help: 'Colour the output (default: auto, on a terminal)',
  },
  {
    name: 'plan',
    group: 'Probes',
    help: 'Print which functions would be traced, and how, without tracing',
  },
  {
    name: 'exit-probe',
    argument: 'HOW',
    choices: ['auto', 'return', 'ret'],
    group: 'Probes',
    help: 'See the end of a call at its ret instructions, or by a return probe where that is harmless and not at all elsewhere (default: auto, the cheapest that is safe)',
  },
  {
    name: 'placement',
    argument: 'WHERE',
    choices: ['auto', 'entry'],
    group: 'Probes',
    help: 'Probe the cheapest instruction near the entry, or the entry itself (default: auto)',
  },
  {
    name: 'buffer',
    argument: 'SIZE',
    group: 'Probes',
    help: 'Memory per CPU for events on their way, such as 4M; rounded up to a power of two (default: 64M shared by all CPUs, 16M at most for each)',
  },
  {
    name: 'max-calls',
    argument: 'N',
    group: 'Limits',
    help: 'Stop tracing after N calls; the program runs on',
  },
  {
    name: 'duration',
    argument: 'TIME',
    group: 'Limits',
    help: 'Stop tracing after TIME, such as 10s; the program runs on',
  },
  {
    name: 'start-at',
    argument: 'PATTERN',
    again: 'add',
    group: 'Limits',
    help: 'Trace nothing before a function matching PATTERN is called, in any thread',
  },
  {
    name: 'stop-at',
    argument: 'PATTERN',
    again: 'add',
    group: 'Limits',
    help: 'Trace nothing more once a function matching PATTERN is called, up to the next --start-at',
  },
  {
    name: 'sample',
    argument: '1/N',
    group: 'Limits',
    help: 'Trace a sample: one call in N, drawn by chance, with all the calls below it; reports scale counts and times up',
  },
  {
    name: 'budget',
    argument: 'PERCENT',
    group: 'Limits',
    help: 'Let probes take at most PERCENT of the time, such as 5%: short functions that are called most lose theirs meanwhile',
  },
  {
    name: 'lossless',
    group: 'Limits',
    help: 'Let the program wait (it is stopped and continued) rather than lose events; times do not count the waiting',
  },
  { name: 'debug', short: ['d'], group: 'Help', help: 'Show debug information' },
  { name: 'help', short: ['?', 'h'], answers: true, group: 'Help', help: 'Show this help' },
  { name: 'usage', answers: true, group: 'Help', help: 'Show a short usage message' },
  { name: 'version', short: ['V'], answers: true, group: 'Help', help: 'Print the version' },
] as const satisfies readonly OptionDefinition[]

export type TraceOptionName = (typeof traceOptions)[number]['name']
