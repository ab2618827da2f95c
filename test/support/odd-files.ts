import { writeFileSync } from 'node:fs'
import { temporaryFile } from './utrace.ts'

const elfHeader = (bits: 1 | 2, machine: number) => {
  const bytes = Buffer.alloc(64)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits, 1, 1])
  bytes.writeUInt16LE(2, 16)
  bytes.writeUInt16LE(machine, 18)
  bytes.writeUInt32LE(1, 20)
  bytes.writeUInt16LE(bits === 1 ? 52 : 64, bits === 1 ? 40 : 52)
  return bytes
}

const contents: Readonly<Record<string, Uint8Array>> = {
  GARBAGE: Buffer.from('\0neither ELF nor script\n'),
  ELF32: elfHeader(1, 3),
  AARCH64: elfHeader(2, 183),
}

/** Executable files that utrace must refuse, by the placeholder that stands for them. */
export function oddFile(name: string): { path: string; remove(): void } | undefined {
  const bytes = contents[name]
  if (bytes === undefined) return undefined
  const file = temporaryFile()
  writeFileSync(file.path, bytes, { mode: 0o755 })
  return file
}
