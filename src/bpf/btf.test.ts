import { describe, expect, test } from 'vitest'
import { kernelTypes, readKernelTypes } from './btf.ts'

interface Type {
  readonly kind: number
  readonly name?: string
  /** Count of members, and whether they are bit-fields. */
  readonly members?: readonly { readonly name?: string; readonly type?: number; readonly offset: number }[]
  readonly bitFields?: boolean
  /** Words that follow the header where there are no members. */
  readonly words?: number
  readonly count?: number
}

const int = { kind: 1, name: 'int', words: 1 }

/** BTF as https://docs.kernel.org/bpf/btf.html describes it. Types are numbered from 1. */
function btf(types: readonly Type[], gap = 0): Buffer {
  let strings = '\0'
  const nameOffset = (name?: string) => {
    if (name === undefined) return 0
    const at = strings.indexOf(`\0${name}\0`)
    if (at !== -1) return at + 1
    strings += `${name}\0`
    return strings.length - name.length - 1
  }
  const words = types.flatMap(({ kind, name, members = [], bitFields, words: extra = 0, count }) => [
    nameOffset(name),
    ((bitFields ? 0x8000_0000 : 0) + kind * 2 ** 24 + (count ?? members.length)) >>> 0,
    0,
    ...members.flatMap(({ name: member, type, offset }) => [nameOffset(member), type ?? 1, offset]),
    ...new Array(extra).fill(0),
  ])
  const body = Buffer.from(Uint32Array.from(words).buffer)
  const header = Buffer.alloc(24 + gap)
  header.writeUInt16LE(0xeb9f, 0)
  header[2] = 1
  const fields = [header.length, 0, body.length, body.length, strings.length]
  fields.forEach((field, index) => {
    header.writeUInt32LE(field, 4 + 4 * index)
  })
  return Buffer.concat([header, body, Buffer.from(strings, 'latin1')])
}

describe('kernelTypes', () => {
  const point = {
    kind: 4,
    name: 'point',
    members: [
      { name: 'x', offset: 0 },
      { name: 'xy', offset: 64 },
      { name: 'y', offset: 1024 },
    ],
  }

  test('finds members of the structure of that name, by their whole names', () => {
    const types = kernelTypes(btf([int, { ...point, name: 'endpoint', members: [] }, point]))
    expect(['x', 'xy', 'y'].map((member) => types.memberOffset('point', member))).toEqual([0, 8, 128])
    expect(types.memberOffset('point', 'z')).toBeUndefined()
    expect(types.memberOffset('endpoint', 'x')).toBeUndefined()
    expect(types.memberOffset('int', 'x')).toBeUndefined()
    expect(types.memberOffset('nothing', 'x')).toBeUndefined()
  })

  test('tells a bit-field’s size from its offset', () => {
    const members = [{ name: 'flags', offset: 5 * 2 ** 24 + 96 }]
    const types = kernelTypes(btf([{ kind: 4, name: 's', members, bitFields: true }]))
    expect(types.memberOffset('s', 'flags')).toBe(12)
  })

  test('finds members of anonymous structures and unions inside, at any depth', () => {
    const types = kernelTypes(
      btf([
        int,
        {
          kind: 5,
          members: [
            { name: 'a', offset: 0 },
            { offset: 0, type: 3 },
          ],
        },
        {
          kind: 4,
          members: [
            { name: 'b', offset: 0 },
            { name: 'c', offset: 32 },
          ],
        },
        {
          kind: 4,
          name: 'outer',
          members: [
            { name: 'first', offset: 0 },
            { offset: 128, type: 2 },
          ],
        },
      ]),
    )
    expect(['first', 'a', 'b', 'c'].map((member) => types.memberOffset('outer', member))).toEqual([
      0, 16, 16, 20,
    ])
  })

  test('numbers functions and typedefs, past types of every kind and size', () => {
    const kinds: Type[] = [
      int,
      { kind: 2 },
      { kind: 3, words: 3 },
      point,
      { kind: 5, name: 'u', members: [{ name: 'x', offset: 0 }] },
      { kind: 6, name: 'enum', count: 3, words: 6 },
      { kind: 7, name: 'forward' },
      { kind: 8, name: 'same' },
      { kind: 9 },
      { kind: 10 },
      { kind: 11 },
      { kind: 13, count: 2, words: 4 },
      { kind: 14, name: 'variable', words: 1 },
      { kind: 15, name: '.data', count: 2, words: 6 },
      { kind: 16, name: 'float' },
      { kind: 17, name: 'tag', words: 1 },
      { kind: 18, name: 'type tag' },
      { kind: 19, name: 'enum64', count: 2, words: 6 },
      { kind: 12, name: 'same' },
    ]
    const types = kernelTypes(btf(kinds))
    expect(types.functionId('same')).toBe(19)
    expect(types.typedefId('same')).toBe(8)
    expect(types.functionId('point')).toBeUndefined()
    expect(types.functionId('nothing')).toBeUndefined()
  })

  test('goes by the header’s own length', () => {
    expect(kernelTypes(btf([int, point], 8)).memberOffset('point', 'y')).toBe(128)
  })

  test('refuses what is not BTF, or of kinds that are not known', () => {
    const refused = (bytes: Buffer) => () => kernelTypes(bytes).functionId('f')
    expect(refused(Buffer.alloc(0))).toThrow('/sys/kernel/btf/vmlinux is not BTF')
    expect(refused(Buffer.alloc(100))).toThrow('/sys/kernel/btf/vmlinux is not BTF')
    expect(refused(btf([{ kind: 31, name: 'f' }]))).toThrow('a type of kind 31 that utrace does not know')
  })
})

describe('the running kernel', () => {
  test('has the tasks that are known, and no members of other names', () => {
    const types = readKernelTypes()
    const pid = types.memberOffset('task_struct', 'pid')!
    expect(types.memberOffset('task_struct', 'tgid')).toBe(pid + 4)
    expect(types.memberOffset('task_struct', 'real_parent')! % 8).toBe(0)
    expect(types.memberOffset('task_struct', 'pi')).toBeUndefined()
    expect(types.functionId('bpf_ringbuf_reserv')).toBeUndefined()
    expect(types.functionId('ksys_read') ?? types.functionId('vfs_read')).toBeGreaterThan(1)
  })
})
