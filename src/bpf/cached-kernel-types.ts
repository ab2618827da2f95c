import { readFileSync } from 'node:fs'
import { KeptNumbers } from '../base/kept-numbers.ts'
import { type KernelTypes, readKernelTypes } from './btf.ts'

/** The build id of the running kernel is a note in here. */
const notesPath = '/sys/kernel/notes'
const buildIdNote = 3
/** Kept where the kernel has no such thing: no offset or id is as large. */
const lacking = 2 ** 32

/**
 * The kernel's types, whose answers are kept for later runs on the same kernel: reading all of them takes tens of
 * milliseconds. @throws UserError as `readKernelTypes`
 */
export function readCachedKernelTypes(): KernelTypes {
  const buildId = kernelBuildId()
  if (buildId === undefined) return readKernelTypes()
  return rememberedTypes(buildId, readKernelTypes)
}

/**
 * @param kernel whose types they are
 * @param read reads the types when something is asked for that is not known
 */
export function rememberedTypes(kernel: string, read: () => KernelTypes): KernelTypes {
  const answers = new KeptNumbers('kernel-types', kernel)
  let types: KernelTypes | undefined
  const answer = (question: string, ask: (types: KernelTypes) => number | undefined) => {
    const known = answers.get(question)
    if (known !== undefined) return known === lacking ? undefined : known
    types ??= read()
    const found = ask(types)
    answers.set(question, found ?? lacking)
    return found
  }
  return {
    memberOffset: (structure, member) =>
      answer(`${structure}.${member}`, (asked) => asked.memberOffset(structure, member)),
    functionId: (name) => answer(`${name}()`, (asked) => asked.functionId(name)),
    structureId: (name) => answer(`struct ${name}`, (asked) => asked.structureId(name)),
    typedefId: (name) => answer(`typedef ${name}`, (asked) => asked.typedefId(name)),
  }
}

/** Notes are: u32 length of the name, u32 length of the contents, u32 type; both padded to 4 bytes. See elf(5). */
function kernelBuildId(): string | undefined {
  try {
    const notes = readFileSync(notesPath)
    for (let at = 0; at + 12 <= notes.length; ) {
      const nameAt = at + 12
      const contentsAt = nameAt + ((notes.readUInt32LE(at) + 3) & ~3)
      const end = contentsAt + notes.readUInt32LE(at + 4)
      const isBuildId =
        notes.readUInt32LE(at + 8) === buildIdNote && notes.toString('latin1', nameAt, nameAt + 4) === 'GNU\0'
      if (isBuildId && end <= notes.length) return notes.toString('hex', contentsAt, end)
      at = (end + 3) & ~3
    }
  } catch {
    // Without it everything is asked anew.
  }
  return undefined
}
