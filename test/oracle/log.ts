import { readFileSync } from 'node:fs'
import { executableOf } from '../support/build.ts'
import { type FunctionSymbol, readSymbols } from '../support/symbols.ts'

/** One entry or exit that the instrumented build of the executable logged. */
export interface TrueEvent {
  readonly type: 'begin' | 'end'
  readonly pid: number
  readonly tid: number
  /** All linkage names of the function's address in the instrumented build. */
  readonly names: readonly string[]
  /** The executable's function that the call came from, where it is one. */
  readonly calledFrom: readonly string[]
}

const headerSize = 16
const moduleSize = 64
const nameSize = 56
const modulesCapacity = 32
const recordSize = 32

function finder(functions: readonly FunctionSymbol[]): (address: number) => string[] {
  return (address) =>
    functions
      .filter((fn) => address >= fn.address && address < fn.address + Math.max(1, fn.size))
      .map((fn) => fn.name)
}

/** Reads what test/oracle/oracle.c wrote: the events of the module `name`, linked in `folder`, in their order. */
export function readOracleLog(path: string, folder: string, name: string): TrueEvent[] {
  const bytes = readFileSync(path)
  const symbols = readSymbols(executableOf(folder, name))
  const anchor = symbols.addressOf('oracle_anchor')
  if (anchor === undefined) throw new Error(`${name}: instrumented build without oracle`)
  const biases = new Map<number, number>()
  for (let index = 0; index < bytes.readUInt32LE(0); index++) {
    const at = headerSize + index * moduleSize
    const moduleName = bytes.toString('utf8', at, bytes.indexOf(0, at))
    if (moduleName === name) biases.set(index, Number(bytes.readBigUInt64LE(at + nameSize)) - anchor)
  }
  const find = finder(symbols.functions)
  const cache = new Map<number, string[]>()
  const namesAt = (address: number) => {
    let names = cache.get(address)
    if (names === undefined) {
      names = find(address)
      cache.set(address, names)
    }
    return names
  }
  const events: TrueEvent[] = []
  const count = bytes.readUInt32LE(4)
  const first = headerSize + modulesCapacity * moduleSize
  for (let at = first; at < first + count * recordSize; at += recordSize) {
    const bias = biases.get(bytes.readUInt32LE(at + 12))
    if (bias === undefined) continue
    events.push({
      type: bytes.readUInt32LE(at + 8) === 1 ? 'begin' : 'end',
      pid: bytes.readUInt32LE(at),
      tid: bytes.readUInt32LE(at + 4),
      names: namesAt(Number(bytes.readBigUInt64LE(at + 16)) - bias),
      // A return address may lie just behind the last instruction of its function.
      calledFrom: namesAt(Number(bytes.readBigUInt64LE(at + 24)) - bias - 1),
    })
  }
  return events
}
