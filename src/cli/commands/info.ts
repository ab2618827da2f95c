import { formatDuration } from '../../base/duration.ts'
import { escapeText } from '../../base/escape.ts'
import { formatSize } from '../../base/size.ts'
import type { Recording } from '../../recording/recording.ts'
import { probeCostsText } from '../../trace/probe-costs.ts'
import { withInput } from '../analysis.ts'
import { analysisOptions, readAnalysisOptions } from '../analysis-options.ts'
import type { OptionDefinition } from '../option-table.ts'
import { printText } from '../output.ts'
import { helpOptions, readCommandWords, refuseOperandsBeyond } from '../subcommand.ts'

const options = [
  ...analysisOptions.filter(({ name }) => name === 'input'),
  ...helpOptions,
] as const satisfies readonly OptionDefinition[]

export const description = {
  synopsis: ['info [-i FILE]'],
  summary:
    'Prints what a recording says of itself: what was recorded, when, where and how, and what is missing.',
  examples: [{ purpose: 'what is in utrace.data', run: 'utrace info' }],
  options,
  notes: [],
}

/** `utrace info`. */
export async function run(words: readonly string[]): Promise<number> {
  const read = readCommandWords(description, words)
  if (read === undefined) return 0
  refuseOperandsBeyond(read.operands, 0)
  const lines = withInput(readAnalysisOptions(read.given), infoLines)
  printText(lines.map((line) => `${line}\n`).join(''))
  return 0
}

function infoLines(recording: Recording): string[] {
  const { origin, end, functions, chunks } = recording
  const { target } = origin
  const words = target.words.join(' ')
  const fields: [name: string, value: string | undefined][] = [
    [
      'file',
      `${recording.path}, ${formatSize(recording.sizeBytes)}, format ${recording.version.major}.${recording.version.minor}`,
    ],
    ['utrace', `${origin.utraceVersion}: utrace ${origin.commandLine.join(' ')}`],
    ['program', target.kind === 'process' ? `process ${target.pid}: ${words}` : words],
    ['host', `${origin.host}, Linux ${origin.kernel}, ${origin.cpus} x ${origin.cpuModel}`],
    ['started', new Date(Number(origin.realtimeBaseNs / 1_000_000n)).toISOString()],
    ['clock', `CLOCK_MONOTONIC from ${origin.clockBaseNs} ns`],
    ['probe costs', origin.probeCosts && probeCostsText(origin.probeCosts)],
    ['duration', duration(recording.lastNs - recording.firstNs)],
    [
      'events',
      `${counted(recording.eventCount)} in ${plural(chunks.length, 'chunk')}, ${bytesPerEvent(recording)} bytes each`,
    ],
    [
      'calls',
      end?.statistics &&
        `${counted(end.statistics.calls)}, ${counted(end.statistics.openCalls)} open at the end`,
    ],
    ['lost events', end?.statistics && counted(end.statistics.lostEvents)],
    [
      'functions',
      `${counted(functions.length)} called${end === undefined ? '' : `, ${counted(end.functionsTraced)} traced`}`,
    ],
    ['program end', end?.exit],
  ]
  const lines = fields.flatMap(([name, value]) => (value === undefined ? [] : [field(name, value)]))
  for (const { name, path, buildId } of recording.modules) {
    lines.push(field('module', `${name} (${path}${buildId === undefined ? '' : `, build id ${buildId}`})`))
  }
  for (const { pid, name } of recording.processes) lines.push(field('process', `${pid} ${name}`.trimEnd()))
  for (const { tid, pid, name } of recording.threads)
    lines.push(field('thread', `${tid} of ${pid}${name === '' ? '' : `: ${name}`}`))
  for (const { name, reason } of end?.untraced ?? []) lines.push(field('not traced', `${name}: ${reason}`))
  for (const [name, value] of Object.entries(origin.settings)) {
    lines.push(field('setting', `${name} ${JSON.stringify(value)}`))
  }
  return lines
}

const nameWidth = 13

const counted = (count: number) => count.toLocaleString('en')
const plural = (count: number, noun: string) => `${counted(count)} ${noun}${count === 1 ? '' : 's'}`

function field(name: string, value: string): string {
  return `${name.padEnd(nameWidth)}${escapeText(value)}`
}

function duration(ns: number): string {
  const { text, unit } = formatDuration(Math.max(0, ns))
  return `${text.trim()} ${unit}`
}

function bytesPerEvent({ chunks, eventCount }: Recording): string {
  const bytes = chunks.reduce((sum, { header }) => sum + header.payloadBytes, 0)
  return (bytes / Math.max(1, eventCount)).toFixed(2)
}
