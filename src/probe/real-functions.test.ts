import { execFileSync } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fileSource } from '../elf/file-source.ts'
import { parseElf } from '../elf/image.ts'
import { moduleCodeOf } from './elf-module.ts'
import { planModule } from './make-plan.ts'
import type { ModuleCode } from './module-code.ts'
import type { ExitSite, FunctionPlan, ProbeSite } from './plan.ts'

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

function linesOf({ lines }: Disassembly, { address, size }: FunctionPlan): [number, Line][] {
  const found: [number, Line][] = []
  for (let at: number = address; at < address + size; ) {
    const line = lines.get(at)
    if (line !== undefined) found.push([at, line])
    at += line?.length ?? 1
  }
  return found
}

const isRet = /^(rep |repz |bnd )?ret\b/
/** By the `cc` of their encoding. */
const conditions = [
  'jo',
  'jno',
  'jb',
  'jae',
  'je',
  'jne',
  'jbe',
  'ja',
  'js',
  'jns',
  'jp',
  'jnp',
  'jl',
  'jge',
  'jle',
  'jg',
]

/**
 * Goes all ways through a function, each with whether an exit was passed and by how much the stack pointer has risen since.
 * @returns what is wrong
 */
function walk({ lines }: Disassembly, plan: FunctionPlan, sites: readonly ExitSite[]): string | undefined {
  const siteAt = new Map(sites.map((site) => [site.address as number, site]))
  const pending: { at: number; left: ExitSite | undefined; rise: number }[] = [
    { at: plan.address, left: undefined, rise: 0 },
  ]
  const seen = new Set<string>()
  for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
    const { at, left, rise } = state
    const key = `${at} ${left?.address} ${rise}`
    const line = lines.get(at)
    // A jump out of the function, or its end: other tests look at these.
    if (seen.has(key) || line === undefined || at < plan.address || at >= plan.address + plan.size) continue
    seen.add(key)
    const site = siteAt.get(at)
    const where = `${at.toString(16)} ${line.text}`
    if (left !== undefined && site !== undefined) return `a second exit: ${where}`
    const next = at + line.length
    const leaving = left ?? (site?.condition === undefined ? site : undefined)
    if (isRet.test(line.text)) {
      if (leaving === undefined) return `no exit: ${where}`
      if (leaving.stackDisplacement !== rise) return `the stack pointer rose by ${rise}: ${where}`
      continue
    }
    const jump = /^(?:bnd )?(j\w+|loop\w*) (?:0x)?([0-9a-f]+)\b/.exec(line.text)
    if (jump !== null) {
      if (left !== undefined) return `a jump after the exit: ${where}`
      const target = Number.parseInt(jump[2]!, 16)
      const taken = conditions.indexOf(jump[1]!)
      const isLeaving = (code: number) => (site !== undefined && site.condition === code ? site : leaving)
      pending.push({ at: target, left: isLeaving(taken), rise: 0 })
      if (jump[1] !== 'jmp') pending.push({ at: next, left: isLeaving(taken ^ 1), rise: 0 })
      continue
    }
    if (/^(ud2|hlt|jmp)/.test(line.text)) continue
    if (left === undefined) {
      pending.push({ at: next, left: leaving, rise: 0 })
      continue
    }
    if (/^(call|syscall|push|sub rsp|leave|mov rsp)/.test(line.text)) return `work after the exit: ${where}`
    const added = /^add rsp,0x(\w+)/.exec(line.text)
    const amount = line.text.startsWith('pop') ? 8 : added === null ? 0 : Number.parseInt(added[1]!, 16)
    pending.push({ at: next, left, rise: rise + amount })
  }
  return undefined
}

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
        select: (symbol) => planned.has(symbol),
      })
      // Local symbols elsewhere may bear the same names.
      const isNear = ({ address }: FunctionPlan) =>
        address >= functions[0]!.address && address <= last.address
      return { ...plan, functions: plan.functions.filter(isNear) }
    }
    const byRet = make('ret')
    const byReturn = make('return')
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

    test('every way through a function that is left by its rets passes one exit, at which the stack pointer is as said', () => {
      let byJump = 0
      let checked = 0
      for (const plan of byRet.functions) {
        if (plan.exit.kind !== 'ret') continue
        const lines = linesOf(text, plan)
        const jumpsThroughPointers = lines.some(([, line]) =>
          /^(bnd )?(notrack )?jmp +[^0-9a-f]/.test(line.text),
        )
        const problem = jumpsThroughPointers
          ? lines.find(
              ([at, line]) =>
                isRet.test(line.text) &&
                plan.exit.kind === 'ret' &&
                !plan.exit.sites.some(({ address }) => address === at),
            )
          : walk(text, plan, plan.exit.sites)
        expect(problem, `${plan.symbol} ${plan.address.toString(16)}`).toBeUndefined()
        checked++
        byJump += plan.exit.sites.filter(
          ({ condition, stackDisplacement }) => condition !== undefined && stackDisplacement > 0,
        ).length
        if (checked === 400) break
      }
      expect(checked).toBeGreaterThan(100)
      expect(byJump).toBeGreaterThan(10)
    })
  })
}

const libraries = '/lib/x86_64-linux-gnu'
describeModule('libc', realpathSync(`${libraries}/libc.so.6`), 0)
describeModule('libstdc++', realpathSync(`${libraries}/libstdc++.so.6`), 0)
describeModule('node', process.execPath, 40_000)
