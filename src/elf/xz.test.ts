import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decompressXz } from './xz.ts'

const MAX = 1 << 24
const xz = (bytes: Uint8Array, ...options: string[]) =>
  execFileSync('xz', ['-c', ...options], { input: bytes, maxBuffer: 1 << 26 })

const program = readFileSync('/bin/ls')
const inputs: Record<string, Uint8Array> = {
  nothing: new Uint8Array(0),
  'one byte': Buffer.from('x'),
  'one byte many times': Buffer.alloc(3_000_000, 'a'),
  text: Buffer.from('the quick brown fox jumps over the lazy dog\n'.repeat(500)),
  noise: randomBytes(300_000),
  'noise, then text': Buffer.concat([randomBytes(200_000), Buffer.alloc(200_000, 'ab'), randomBytes(70_000)]),
  program,
}
const settings: Record<string, readonly string[]> = {
  default: [],
  fast: ['-0', '--check=crc32'],
  extreme: ['-9e', '--check=sha256'],
  'no check': ['--check=none'],
  'several blocks': ['--block-size=100000'],
  'literal position bits': ['--lzma2=lc=1,lp=3,pb=0'],
}

describe('decompressXz', () => {
  it.each(Object.entries(settings))('gives back what xz was given: %s', (_name, options) => {
    for (const [what, input] of Object.entries(inputs)) {
      const output = decompressXz(xz(input, ...options), MAX)
      expect(output !== undefined && Buffer.from(output).equals(input), what).toBe(true)
    }
  })

  it('makes no more bytes than it may', () => {
    const bomb = xz(Buffer.alloc(1_000_000))
    expect(decompressXz(bomb, 999_999)).toBeUndefined()
    expect(decompressXz(bomb, 1_000_000)).toHaveLength(1_000_000)
  })

  it('refuses other filters and other formats', () => {
    expect(decompressXz(xz(program, '--x86', '--lzma2'), MAX)).toBeUndefined()
    expect(decompressXz(xz(program, '--format=lzma'), MAX)).toBeUndefined()
    expect(decompressXz(program, MAX)).toBeUndefined()
  })

  it('survives any damage, and never gives back more or less than was announced', () => {
    const text = inputs.text!
    const intact = xz(text, '--block-size=5000')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(intact.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(intact.length),
        (changes, end) => {
          const damaged = Buffer.from(intact)
          for (const [at, byte] of changes) damaged[at] = byte
          const output = decompressXz(damaged, MAX)
          if (output !== undefined) expect(output).toHaveLength(text.length)
          expect(decompressXz(damaged.subarray(0, end), MAX)?.length ?? text.length).toBe(text.length)
        },
      ),
      { numRuns: 500 },
    )
  })
})
