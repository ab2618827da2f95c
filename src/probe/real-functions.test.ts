import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fileSource } from '../elf/file-source.ts'
import { parseElf } from '../elf/image.ts'
import { moduleCodeOf } from './elf-module.ts'
import { planModule } from './make-plan.ts'
import type { ModuleCode } from './module-code.ts'
import type { FunctionPlan, ProbeSite } from './plan.ts'

/** One line of `objdump -d`. */
interface Line {
  readonly length: number
  readonly text: string
}

interface Disassembly {
  readonly lines: ReadonlyMap<number, Line>
  /** Addresses that direct jumps lead to, with the addresses of the jumps. */
  readonly jumps: ReadonlyMap<number, readonly number[]>
}

function disassemble(file: string, from: number, to: number): Disassembly {
  const range = [`--start-address=${from}`, `--stop-address=${to}`]
  const text = execFileSync('objdump', ['-d', '-w', '-M', 'intel', ...range, file], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  })
  const lines = new Map<number, Line>()
  const jumps = new Map<number, number[]>()
  for (const [, address, bytes, body] of text.matchAll(/^ +([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t(.*)$/gm)) {
    const at = Number.parseInt(address!, 16)
    lines.set(at, { length: bytes!.trim().split(' ').length, text: body!.replace(/ +/g, ' ').trim() })
    const jump = /^(?:bnd )?(?:j|loop)\w* (?:0x)?([0-9a-f]+)\b/.exec(body!)
    if (jump === null) continue
    const target = Number.parseInt(jump[1]!, 16)
    jumps.set(target, [...(jumps.get(target) ?? []), at])
  }
  return { lines, jumps }
}

const EMULATED =
  /^(bnd )?(push r\w\w?|nop( \w+ PTR \[.*\])?|xchg ax,ax|(j\w+|call) [0-9a-f]+( <.*>)?)( *#.*)?$/
const REFUSED = /^(lock|notrack|cs|ds|es|ss) |\bzmm|^syscall|^int/

function describeModule(name: string, file: string, start: number): void {
  describe(name, () => {
    const elf = parseElf(fileSource(file), file)
    const whole: ModuleCode = moduleCodeOf(elf)
    // A run of neighbours: disassembling all would take too long for a unit test.
    const functions = whole.functions.slice(start, start + 1200)
    const last = functions.at(-1)!
    const text = disassemble(file, functions[0]!.address, last.address + last.size)
    const planned = new Set(functions.map(({ symbol }) => symbol))
    const make = (exitProbe: 'return' | 'ret') => {
      const plan = planModule({
        ...whole,
        exitProbe,
        placement: 'auto',
        returnHooks: { harmless: true, reason: '', mayBeLost: false },
        demangle: (symbol) => symbol,
        select: ({ symbol }) => planned.has(symbol),
      })
      // Local symbols elsewhere may bear the same names.
      const isNear = ({ address }: FunctionPlan) =>
        address >= functions[0]!.address && address <= last.address
      return { ...plan, functions: plan.functions.filter(isNear) }
    }
    const byRet = make('ret')
    const byReturn = make('return')
    const holds = (plan: FunctionPlan, address: number) =>
      address >= plan.address && address < plan.address + plan.size

    test('nearly all functions are planned', () => {
      expect(byRet.functions.length).toBeGreaterThan(functions.length * 0.95)
    })

    test('every probe is at the start of an instruction that the kernel takes as it is said to', () => {
      const check = (site: ProbeSite) => {
        const line = text.lines.get(site.address)
        // Parts in other sections lie outside of what was disassembled.
        if (line === undefined && site.address > last.address) return
        const found = `${site.address.toString(16)} ${line?.text}`
        expect(line, found).toBeDefined()
        expect(line!.text, found).not.toMatch(REFUSED)
        expect(EMULATED.test(line!.text), found).toBe(site.emulated)
      }
      for (const plan of [...byRet.functions, ...byReturn.functions]) check(plan.entry)
      const first = functions[0]!.address
      for (const { exit } of byRet.functions) {
        if (exit.kind !== 'ret') continue
        for (const site of exit.sites) if (site.address >= first) check(site)
      }
    })

    test('no jump leads behind the first instruction up to an entry', () => {
      for (const { functions: plans } of [byRet, byReturn]) {
        for (const plan of plans) {
          for (let at = plan.address + 1; at <= plan.entry.address; at++) {
            expect(text.jumps.get(at), `${plan.symbol} ${at.toString(16)}`).toBeUndefined()
          }
        }
      }
    })

    test('nothing before an entry leaves or waits, and memory is touched only where a fault will be noticed', () => {
      for (const plan of [...byRet.functions, ...byReturn.functions]) {
        for (let at: number = plan.address; at < plan.entry.address; ) {
          const line = text.lines.get(at)!
          const found = `${plan.symbol} ${line.text}`
          expect(line.text, found).not.toMatch(
            /^(call|j|ret|loop|i?div|syscall|hlt|ud2|cpuid|rep|pop|xchg|lock)/,
          )
          if (!/^(lea|nop)/.test(line.text) && line.text.includes('[')) {
            // Whoever is told of the fault takes the stack pointer for that of the entry.
            expect([plan.entry.mayFaultBefore, plan.entry.stackDisplacement], found).toEqual([true, 0])
          }
          at += line.length
        }
      }
    })

    test('the stack pointer is where it is said to be at an entry', () => {
      for (const plan of byRet.functions) {
        let lowered = 0
        for (let at: number = plan.address; at < plan.entry.address; ) {
          const line = text.lines.get(at)!
          const moved = /^(sub|add) rsp,0x(\w+)/.exec(line.text)
          if (moved) {
            const amount = Number(BigInt.asIntN(64, BigInt(`0x${moved[2]}`)))
            lowered += moved[1] === 'sub' ? amount : -amount
          }
          if (line.text.startsWith('push')) lowered += 8
          at += line.length
        }
        expect(plan.entry.stackDisplacement, plan.symbol).toBe(lowered)
      }
      for (const { entry, exit } of byReturn.functions) {
        if (exit.kind === 'return') expect(entry.stackDisplacement).toBe(0)
      }
    })

    test('a function that is left by its rets has a probe on every one', () => {
      const sites = new Set<number>()
      for (const { exit } of byRet.functions) {
        if (exit.kind === 'ret') for (const site of exit.sites) sites.add(site.address)
      }
      let rets = 0
      for (const plan of byRet.functions) {
        if (plan.exit.kind !== 'ret') continue
        for (const [at, line] of text.lines) {
          if (!holds(plan, at) || !/^(rep |repz |bnd )?ret\b/.test(line.text)) continue
          rets++
          expect(sites.has(at), `${plan.symbol} ${at.toString(16)}`).toBe(true)
        }
        if (rets > 400) break
      }
      expect(rets).toBeGreaterThan(100)
    })
  })
}

const libraries = '/lib/x86_64-linux-gnu'
describeModule('libc', realpathSync(`${libraries}/libc.so.6`), 0)
describeModule('libstdc++', realpathSync(`${libraries}/libstdc++.so.6`), 0)
describeModule('node', process.execPath, 40_000)
