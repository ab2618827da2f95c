import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  loadElf,
  loadWithoutSections,
  openWorkshop,
  run,
  type Workshop,
} from '../../test/support/build-elf.ts'
import { memorySource } from '../base/byte-source.ts'
import { UserError } from '../base/errors.ts'
import { asFileOffset, asVirtualAddress } from '../base/units.ts'
import { addressToFileOffset, fileOffsetToAddress } from './address.ts'
import type { ElfError } from './error.ts'
import { fileSource } from './file-source.ts'
import { readFunctions } from './functions.ts'
import { parseElf } from './image.ts'

let workshop: Workshop
let program: string
beforeAll(() => {
  workshop = openWorkshop()
  program = workshop.build('program', 'int main(void) { return 0; }', [
    '-Wl,--build-id',
    '-Wl,-rpath,/opt/a:$ORIGIN',
  ])
})
afterAll(() => workshop.remove())

function problemOf(bytes: Uint8Array): ElfError {
  try {
    parseElf(memorySource(bytes), './thing')
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    return error as ElfError
  }
  throw new Error('it was accepted')
}

/** The program with some bytes changed. */
function patched(changes: Record<number, number[]>): Uint8Array {
  const bytes = readFileSync(program)
  for (const [offset, values] of Object.entries(changes)) bytes.set(values, Number(offset))
  return bytes
}

describe('parseElf', () => {
  it('tells what a dynamic program says of itself, with and without section headers', () => {
    const buildId = /Build ID: (\w+)/.exec(run('readelf', '-n', program))![1]
    for (const { facts } of [loadElf(program), loadWithoutSections(program)]) {
      expect(facts).toMatchObject({
        type: 'shared',
        interpreter: '/lib64/ld-linux-x86-64.so.2',
        needed: ['libc.so.6'],
        runPath: ['/opt/a', '$ORIGIN'],
        soname: undefined,
        buildId,
        isExecutableImage: true,
      })
      expect(facts.segments.filter((segment) => segment.executable)).toHaveLength(1)
    }
    expect(loadElf(program).facts.stripped).toBe(false)
    expect(loadWithoutSections(program).facts.stripped).toBe(true)
  })

  it('tells libraries from programs', () => {
    const library = workshop.build('l.so', 'int f(void) { return 0; }', [
      '-shared',
      '-fPIC',
      '-Wl,-soname,libl.so.1',
    ])
    expect(loadElf(library).facts).toMatchObject({ soname: 'libl.so.1', isExecutableImage: false })
    expect(loadElf('/lib/x86_64-linux-gnu/libc.so.6').facts.isExecutableImage).toBe(false)
    for (const flags of [['-static'], ['-static-pie'], ['-no-pie']]) {
      const path = workshop.build(flags.join(), 'int main(void) { return 0; }', flags)
      expect(loadElf(path).facts.isExecutableImage).toBe(true)
    }
  })

  it.each<[string, () => Uint8Array, string, string]>([
    ['an empty file', () => new Uint8Array(0), 'not-elf', 'an empty file'],
    ['text', () => Buffer.from('hello'), 'not-elf', 'not an ELF program'],
    ['i386', () => patched({ 4: [1], 18: [3, 0] }), '32-bit', '32-bit (i386)'],
    ['x32', () => patched({ 4: [1] }), '32-bit', 'x32'],
    ['aarch64', () => patched({ 18: [183, 0] }), 'foreign-machine', 'built for aarch64'],
    ['riscv', () => patched({ 18: [243, 0] }), 'foreign-machine', 'built for riscv'],
    ['big-endian s390', () => patched({ 5: [2], 18: [0, 22] }), 'foreign-machine', 'built for s390'],
    ['an object file', () => patched({ 16: [1, 0] }), 'not-loadable', 'object file'],
    ['a core dump', () => patched({ 16: [4, 0] }), 'not-loadable', 'core dump'],
    ['a cut header', () => patched({}).subarray(0, 40), 'damaged', 'ends inside its ELF header'],
    ['cut program headers', () => patched({}).subarray(0, 100), 'damaged', 'beyond its end'],
    ['cut segments', () => patched({}).subarray(0, 5000), 'damaged', 'shorter than its segments'],
    ['no program headers', () => patched({ 56: [0, 0] }), 'damaged', 'no program headers'],
    ['too many program headers', () => patched({ 56: [255, 255] }), 'damaged', 'too many'],
    [
      'program headers far away',
      () => patched({ 32: [0, 0, 0, 0, 0, 0, 0, 64] }),
      'damaged',
      'beyond its end',
    ],
  ])('says in one line what is wrong: %s', (_name, bytes, problem, text) => {
    const error = problemOf(bytes())
    expect(error.problem).toBe(problem)
    expect(error.message).toMatch(/^\.\/thing: [^\n]+$/)
    expect(error.message).toContain(text)
  })

  it.each([
    ['#!/usr/bin/env python3\nprint()', '/usr/bin/env', 'python3'],
    ['#! /bin/sh\n', '/bin/sh', undefined],
    ['#!/bin/awk -f x\n', '/bin/awk', '-f x'],
    ['#!', '', undefined],
  ])('names the interpreter of the script %j', (text, interpreter, argument) => {
    const error = problemOf(Buffer.from(text))
    expect(error.problem).toBe('script')
    expect(error.script).toEqual({ interpreter, argument })
  })

  it('reads the machine type that a compiler wrote', () => {
    const path = join(workshop.folder, 'thirty-two')
    writeFileSync(`${path}.s`, '.globl _start\n_start: ret\n')
    execFileSync('as', ['--32', `${path}.s`, '-o', `${path}.o`])
    execFileSync('ld', ['-m', 'elf_i386', `${path}.o`, '-o', path])
    expect(() => loadElf(path)).toThrow('32-bit (i386)')
  })
})

describe('addresses', () => {
  it.each([
    ['pie', []],
    ['non-pie', ['-no-pie']],
    ['lld', ['-fuse-ld=lld', '-Wl,--rosegment']],
    ['mold', ['-fuse-ld=mold']],
    ['high', ['-Wl,-Ttext-segment=0x7e00000000']],
    ['large', ['-DLARGE']],
  ])('translate to where the bytes are, and back: %s', (name, flags) => {
    const source = `
      #ifdef LARGE
      __asm__(".text\\n.skip 6000000, 0x90\\n");
      #endif
      __attribute__((aligned(16), noinline)) int marked(void) { __asm__(".byte 0x0f,0x1f,0x84,0,0x78,0x56,0x34,0x12"); return 1; }
      int main(void) { return marked(); }
    `
    const path = workshop.build(`layout-${name}`, source, ['-O2', ...flags])
    const elf = loadElf(path)
    const marked = readFunctions(elf).find((found) => found.symbol === 'marked')!
    const marker = readFileSync(path).indexOf(Buffer.from('0f1f840078563412', 'hex'))
    expect(marked.fileOffset).toBe(marker)
    expect(addressToFileOffset(elf.facts, marked.address)).toBe(marker)
    expect(fileOffsetToAddress(elf.facts, asFileOffset(marker))).toBe(marked.address)
    expect(addressToFileOffset(elf.facts, asVirtualAddress(8))).toBe(
      name === 'pie' || name === 'lld' || name === 'mold' || name === 'large' ? 8 : undefined,
    )
    expect(addressToFileOffset(elf.facts, asVirtualAddress(0x7fff_ffff_0000))).toBeUndefined()
    expect(fileOffsetToAddress(elf.facts, asFileOffset(2 ** 40))).toBeUndefined()
  })
})

describe('fileSource', () => {
  it('reads parts of a file, short at its end', () => {
    const source = fileSource(program)
    expect(Buffer.from(source.read(1, 3)).toString()).toBe('ELF')
    expect(source.read(source.size - 2, 10)).toHaveLength(2)
    expect(source.read(source.size + 5, 10)).toHaveLength(0)
    source.close()
    expect(() => source.read(0, 1)).toThrow()
  })

  it('refuses what is not there and what is no regular file', () => {
    expect(() => fileSource(join(workshop.folder, 'missing'))).toThrow('no such file')
    expect(() => fileSource(workshop.folder)).toThrow('not a regular file')
    const fifo = join(workshop.folder, 'fifo')
    execFileSync('mkfifo', [fifo])
    expect(() => fileSource(fifo)).toThrow('not a regular file')
  })
})
