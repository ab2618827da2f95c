import { describe, expect, test } from 'vitest'
import { BpfMap, mapType, readOnlyForPrograms } from './map.ts'

const base = { keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 }

describe('BpfMap', () => {
  test('an array holds zeros until it is told otherwise', () => {
    const map = new BpfMap('numbers', { ...base, type: mapType.array })
    expect(map.lookup(3)).toEqual(Buffer.alloc(8))
    map.update(3, Buffer.from('12345678'))
    expect(map.lookup(3).toString()).toBe('12345678')
    expect(map.lookup(2)).toEqual(Buffer.alloc(8))
    expect(() => map.lookup(4)).toThrow('bpf(mapLookup): ENOENT')
    expect(() => map.update(4, Buffer.alloc(8))).toThrow('bpf(mapUpdate): E2BIG')
  })

  test('a hash forgets what is deleted', () => {
    const map = new BpfMap('processes', { ...base, type: mapType.hash })
    const key = 0xffff_fff0
    expect(() => map.lookup(key)).toThrow('ENOENT')
    map.update(key, Buffer.alloc(8, 1))
    expect(map.lookup(key)).toEqual(Buffer.alloc(8, 1))
    map.delete(key)
    expect(() => map.lookup(key)).toThrow('ENOENT')
    expect(() => map.delete(key)).toThrow('bpf(mapDelete): ENOENT')
  })

  test('frozen, it changes no more', () => {
    const map = new BpfMap('constants', { ...base, type: mapType.array, flags: readOnlyForPrograms })
    map.update(0, Buffer.alloc(8, 7))
    map.freeze()
    expect(() => map.update(0, Buffer.alloc(8))).toThrow('bpf(mapUpdate): EPERM')
    expect(map.lookup(0)).toEqual(Buffer.alloc(8, 7))
  })

  test('a definition that the kernel refuses is an error with its name', () => {
    const odd = { type: mapType.ringBuffer, keySize: 0, valueSize: 0, maxEntries: 1000, flags: 0 }
    expect(() => new BpfMap('ring', odd)).toThrow('bpf(mapCreate): EINVAL')
  })
})
