import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { asFileOffset, asPid, asVirtualAddress } from '../base/units.ts'
import type { ProbedInstruction, ProbeSet } from '../bpf/kernel.ts'
import type { FunctionPlan, ProbeSite, WayOut } from '../probe/plan.ts'
import { errnoCodes, SystemCallError } from '../sys/libc.ts'
import { attachExits, attachPlan } from './attach-plan.ts'
import { FunctionIds } from './function-ids.ts'
import type { Module } from './modules.ts'

const module = { name: 'target', file: '8:1:42', mapping: '1000-2000' } as Module
const pid = asPid(77)

/** A kernel that takes all instructions but those at certain offsets, as the real one: a set as a whole or not at all. */
class ChoosyKernel {
  readonly refuses: ReadonlySet<number>
  readonly code: keyof typeof errnoCodes
  readonly attached: ProbedInstruction[] = []
  attempts = 0
  detached = 0

  constructor(refuses: readonly number[], code: keyof typeof errnoCodes = 'EINVAL') {
    this.refuses = new Set(refuses)
    this.code = code
  }

  attach({ sites, path, pid: process }: ProbeSet) {
    expect([path, process]).toEqual(['/proc/77/map_files/1000-2000', 77])
    expect(sites.length).toBeGreaterThan(0)
    this.attempts++
    if (sites.some(({ offset }) => this.refuses.has(offset))) {
      throw new SystemCallError('bpf(linkCreate)', errnoCodes[this.code]!)
    }
    this.attached.push(...sites)
    const detach = async () => {
      this.detached++
    }
    return [{ fd: -1, detach }]
  }
}

const site = (offset: number): ProbeSite => ({
  address: asVirtualAddress(offset + 0x40_0000),
  fileOffset: asFileOffset(offset),
  stackDisplacement: 0,
  emulated: true,
  mayFaultBefore: false,
  instruction: '',
})

const byRets = (...offsets: number[]): WayOut => ({
  kind: 'ret',
  sites: offsets.map((offset) => ({ ...site(offset), condition: offset % 2 === 1 ? 4 : undefined })),
})

function plan(offset: number, exit: WayOut, more: Partial<FunctionPlan> = {}): FunctionPlan {
  return {
    symbol: `f${offset}`,
    aliases: [],
    name: `f${offset}()`,
    kind: 'function',
    address: asVirtualAddress(offset + 0x40_0000),
    size: 10,
    entry: site(offset),
    exit,
    exitWithoutHook: exit.kind === 'return' ? byRets(offset + 8, offset + 9) : exit,
    reason: '',
    mayTailCall: false,
    tailTargets: undefined,
    loopsToEntry: false,
    ...more,
  }
}

const attachTo = (kernel: ChoosyKernel, functions: readonly FunctionPlan[], ids = new FunctionIds()) =>
  attachPlan(kernel, { module, part: 'functions', plan: { functions, untraced: [] } }, ids, pid)

describe('attachPlan', () => {
  test('exits come before entries, in the roles that the plan gives them', () => {
    const kernel = new ChoosyKernel([])
    const functions = [
      plan(100, { kind: 'return' }),
      plan(200, byRets(208, 209)),
      plan(300, { kind: 'entry' }),
      plan(400, { kind: 'none' }, { kind: 'library-call' }),
    ]
    const { attached, refused, links } = attachTo(kernel, functions)
    expect(attached).toEqual(functions)
    expect(refused).toEqual([])
    expect(links).toHaveLength(1)
    expect(kernel.attached.map(({ offset, role, functionId }) => [offset, role, functionId])).toEqual([
      [208, 'exit', 1],
      [209, 'exit', 1],
      [100, 'call', 0],
      [200, 'entry', 1],
      [300, 'entry', 2],
      [400, 'entry', 3],
    ])
    expect(kernel.attached.map(({ condition }) => condition).slice(0, 2)).toEqual([undefined, 4])
    expect(kernel.attached.map(({ isLibraryCall }) => isLibraryCall === true)).toEqual([
      false,
      false,
      false,
      false,
      false,
      true,
    ])
  })

  test('names the function whose instruction the kernel refuses, and why', () => {
    const kernel = new ChoosyKernel([200])
    const functions = [100, 200, 300].map((offset) => plan(offset, { kind: 'return' }))
    const { attached, refused } = attachTo(kernel, functions)
    expect(attached.map(({ symbol }) => symbol)).toEqual(['f100', 'f300'])
    expect(refused).toEqual([
      { plan: functions[1], reason: 'the kernel refuses its probe: bpf(linkCreate): EINVAL' },
    ])
  })

  test('a function with a refused exit gets no entry', () => {
    const kernel = new ChoosyKernel([209])
    attachTo(kernel, [plan(100, byRets(108)), plan(200, byRets(208, 209))])
    expect(kernel.attached.map(({ offset }) => offset).sort()).toEqual([100, 108, 208])
  })

  test('whatever is refused: the rest is attached once, and culprits are found fast', () => {
    const wayOut = fc.constantFrom<WayOut['kind']>('return', 'ret', 'entry', 'none')
    const input = fc.array(wayOut, { minLength: 1, maxLength: 200, size: 'max' }).chain((wayOuts) =>
      fc.record({
        wayOuts: fc.constant(wayOuts),
        refused: fc.array(fc.nat(wayOuts.length * 10), { maxLength: 6 }),
      }),
    )
    fc.assert(
      fc.property(input, ({ wayOuts, refused: refusedOffsets }) => {
        const functions = wayOuts.map((kind, index) =>
          plan(index * 10, kind === 'ret' ? byRets(index * 10 + 3, index * 10 + 4) : { kind }),
        )
        const kernel = new ChoosyKernel(refusedOffsets)
        const { attached, refused, links } = attachTo(kernel, functions)
        const isRefused = ({ entry, exit }: FunctionPlan) =>
          [entry, ...(exit.kind === 'ret' ? exit.sites : [])].some(({ fileOffset }) =>
            kernel.refuses.has(fileOffset),
          )
        expect(refused.map((each) => each.plan).sort(byOffset)).toEqual(functions.filter(isRefused))
        expect(attached).toEqual(functions.filter((each) => !isRefused(each)))
        const offsets = kernel.attached.map(({ offset }) => offset)
        expect(new Set(offsets).size).toBe(offsets.length)
        for (const { entry, exit } of attached) {
          const order = [...(exit.kind === 'ret' ? exit.sites : []), entry].map(({ fileOffset }) =>
            offsets.indexOf(fileOffset),
          )
          expect(order).not.toContain(-1)
          expect(order).toEqual([...order].sort((a, b) => a - b))
        }
        for (const { plan: culprit } of refused) {
          // Nobody sees a call begin whose end cannot be seen.
          if (
            culprit.exit.kind === 'ret' &&
            culprit.exit.sites.some((each) => kernel.refuses.has(each.fileOffset))
          )
            expect(offsets).not.toContain(culprit.entry.fileOffset)
        }
        expect(links.length).toBeLessThanOrEqual(kernel.attempts)
        expect(kernel.attempts).toBeLessThanOrEqual(1 + 2 * refusedOffsets.length * 12)
      }),
    )
  })

  test.each(['ESRCH', 'EPERM', 'EMFILE', 'ENOMEM'] as const)('%s is not about an instruction', (code) => {
    const kernel = new ChoosyKernel([100], code)
    expect(() => attachTo(kernel, [plan(100, { kind: 'return' }), plan(200, { kind: 'return' })])).toThrow(
      code,
    )
    expect(kernel.attempts).toBe(1)
  })

  test('a function whose returns must not be hooked has its exits probed', () => {
    const kernel = new ChoosyKernel([])
    const ids = new FunctionIds()
    const functions = [plan(100, { kind: 'return' }), plan(200, { kind: 'return' })]
    ids.probeExits(ids.idOf(module, functions[0]!))
    attachTo(kernel, functions, ids)
    expect(kernel.attached.map(({ offset, role }) => [offset, role])).toEqual([
      [108, 'exit'],
      [109, 'exit'],
      [100, 'entry'],
      [200, 'call'],
    ])
  })
})

const byOffset = (a: FunctionPlan, b: FunctionPlan) => a.entry.fileOffset - b.entry.fileOffset

describe('attachExits', () => {
  test('probes the exits that stand in for hooked returns', () => {
    const kernel = new ChoosyKernel([])
    const functions = [plan(100, { kind: 'return' }), plan(200, { kind: 'return' })]
    expect(attachExits(kernel, module, functions, new FunctionIds(), pid)).toHaveLength(1)
    expect(kernel.attached.map(({ offset, role, functionId }) => [offset, role, functionId])).toEqual([
      [108, 'exit', 0],
      [109, 'exit', 0],
      [208, 'exit', 1],
      [209, 'exit', 1],
    ])
  })

  test('has nothing to do for functions without', () => {
    const kernel = new ChoosyKernel([])
    const never = plan(100, { kind: 'return' }, { exitWithoutHook: { kind: 'none' } })
    expect(attachExits(kernel, module, [never], new FunctionIds(), pid)).toEqual([])
    expect(kernel.attempts).toBe(0)
  })
})

describe('FunctionIds', () => {
  test('number functions by file and address, whatever process or path they are found through', () => {
    const ids = new FunctionIds()
    const [first, second] = [plan(100, { kind: 'none' }), plan(200, byRets(208))] as const
    expect(ids.idOf(module, first)).toBe(0)
    expect(ids.idOf(module, second)).toBe(1)
    expect(ids.idOf({ ...module, path: '/elsewhere' }, plan(100, { kind: 'none' }))).toBe(0)
    expect(ids.idOf({ ...module, file: '8:1:43' }, first)).toBe(2)
    expect(ids.table).toHaveLength(3)
    expect(ids.table[1]).toMatchObject({
      fn: { id: 1, name: 'f200()', symbol: 'f200', module: 'target', kind: 'function' },
      wayOut: 'ret',
      entryDisplacement: 0,
      mayTailCall: false,
    })
  })

  test('look for tail calls only when they are asked for: that means decoding', () => {
    const ids = new FunctionIds()
    let asked = 0
    const lazy = {
      ...plan(100, { kind: 'return' }),
      get mayTailCall() {
        asked++
        return true
      },
    }
    ids.idOf(module, lazy)
    expect(asked).toBe(0)
    expect(ids.table[0]!.mayTailCall).toBe(true)
  })
})
