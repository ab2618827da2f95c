import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UserError } from '../base/errors.ts'
import { mapType } from './map.ts'
import { readBpfObject } from './object.ts'

const bytes = readFileSync(new URL('../../bpf/utrace.bpf.o', import.meta.url))

/** Reads an object; what it says if it is refused. Anything but a UserError fails the test. */
function problemOf(object: Buffer): string | undefined {
  try {
    for (const program of readBpfObject(object).programs.values()) program.relocations()
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return (error as UserError).message
  }
}

describe('readBpfObject', () => {
  const object = readBpfObject(bytes)

  test('finds programs with their sections, instructions and relocations', () => {
    const session = object.programs.get('probe_session')!
    expect(session.section).toBe('uprobe.session')
    expect(session.instructions.length % 8).toBe(0)
    expect(object.programs.get('process_exec')?.section).toBe('raw_tracepoint')
    const targets = session.relocations().map(({ target }) => target)
    expect(targets).toContainEqual({ kind: 'map', name: 'rings' })
    expect(targets).toContainEqual({ kind: 'kernel-function', name: 'bpf_session_is_return' })
    for (const { name, instructions, relocations } of object.programs.values()) {
      // The last instruction of every program is `exit`, or a jump back.
      expect([0x95, 0x05], name).toContain(instructions.at(-8))
      for (const { offset } of relocations()) {
        expect(offset % 8).toBe(0)
        // A map or constant is taken in by the 16-byte ld_imm64, a function called.
        expect([0x18, 0x85], name).toContain(instructions[offset])
      }
    }
  })

  /** BPF_F_MMAPABLE. */
  const mappable = 1 << 10

  test('finds maps as they are defined', () => {
    expect(object.maps.get('rings')).toEqual({
      type: mapType.array,
      keySize: 4,
      valueSize: 0,
      maxEntries: 0,
      flags: mappable,
    })
    expect(object.maps.get('control')).toMatchObject({ type: mapType.ringBuffer, keySize: 0 })
  })

  test('finds constants and the licence', () => {
    expect(object.constants.length).toBeGreaterThanOrEqual(16)
    expect(object.license).toBe('Dual BSD/GPL')
  })
})

describe('a damaged object', () => {
  const message = 'the BPF object is damaged: reinstall utrace'

  test('is named, whatever it is', () => {
    expect(problemOf(Buffer.alloc(0))).toBe(message)
    expect(problemOf(Buffer.from('#!/bin/sh\n'))).toBe(message)
    expect(problemOf(bytes.subarray(0, 64))).toBe(message)
    expect(problemOf(bytes.subarray(0, bytes.length - 1))).toBe(message)
  })

  test('cut off anywhere is refused', () => {
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), (length) => {
        expect(problemOf(bytes.subarray(0, length))).toBe(message)
      }),
    )
  })

  test('with a section that lies outside of it is refused', () => {
    const changed = Buffer.from(bytes)
    const secondSection = Number(bytes.readBigUInt64LE(40)) + 64
    changed.writeBigUInt64LE(BigInt(bytes.length), secondSection + 32)
    expect(problemOf(changed)).toBe(message)
  })

  test('with bytes changed anywhere is read or refused, in no time', () => {
    const change = fc.record({ at: fc.nat(bytes.length - 1), to: fc.oneof(fc.nat(255), fc.constant(255)) })
    const header = fc.record({ at: fc.integer({ min: 32, max: 63 }), to: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(fc.oneof(change, header), { minLength: 1, maxLength: 20 }), (changes) => {
        const changed = Buffer.from(bytes)
        for (const { at, to } of changes) changed[at] = to
        const start = performance.now()
        problemOf(changed)
        expect(performance.now() - start).toBeLessThan(1000)
      }),
      { numRuns: 500 },
    )
  })
})
