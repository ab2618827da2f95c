import type { KernelTypes } from './btf.ts'
import { runContextFirstMember, runContextMembers, runContextType } from './layout.ts'

/**
 * Where a program finds what it is run for, in the order of its `config`: offsets, then a type id. Zeros where this kernel is
 * laid out in another way: it asks the kernel then, which takes longer.
 */
export function runContext(types: KernelTypes): number[] {
  const offsets = runContextMembers.map(([structure, member]) => types.memberOffset(structure, member))
  const type =
    types.memberOffset(...runContextFirstMember) === 0 ? types.structureId(runContextType) : undefined
  const numbers = [...offsets, type]
  return numbers.includes(undefined) ? runContextUnknown : numbers.map((number) => number!)
}

/** The kernel is asked. */
export const runContextUnknown: number[] = [...runContextMembers.map(() => 0), 0]
