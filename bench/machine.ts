import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { repository } from './paths.ts'

const toolVersions: readonly (readonly [string, ...string[]])[] = [
  ['uftrace', '--version'],
  ['bpftrace', '--version'],
  ['ltrace', '--version'],
  ['gdb', '--version'],
  ['valgrind', '--version'],
  ['gcc', '--version'],
]

/** What the numbers hold for: the machine, its kernel, and the tools. One line each. */
export function describeMachine(): readonly string[] {
  const [cpu] = cpus()
  return [
    `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} CPUs${virtualization()}, ${Math.round(totalmem() / (1 << 30))} GB`,
    `Linux ${release()}, Node ${process.version}`,
    `utrace ${commit()}; ${toolVersions.map(([tool, ...args]) => versionOf(tool, args)).join('; ')}`,
  ]
}

function virtualization(): string {
  return / hypervisor( |$)/m.test(readFileSync('/proc/cpuinfo', 'latin1')) ? ' (virtual machine)' : ''
}

function versionOf(tool: string, args: readonly string[]): string {
  const [line = ''] = output(tool, args)?.split('\n') ?? []
  const version = /\d+\.\d[\w.]*/.exec(line.replace(/\(.*?\)/g, ''))?.[0]
  return `${tool} ${version ?? 'not installed'}`
}

function commit(): string {
  return output('git', ['-C', repository, 'describe', '--always', '--dirty']) ?? packageVersion()
}

function packageVersion(): string {
  return JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')).version
}

function output(tool: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(tool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}
