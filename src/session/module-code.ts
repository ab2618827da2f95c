import type { ElfImage } from '../elf/image.ts'
import { moduleCodeOf } from '../probe/elf-module.ts'
import type { ModuleCode } from '../probe/module-code.ts'

const read = new WeakMap<ElfImage, ModuleCode>()

/** What planning needs of a module: its symbol tables are read once. */
export function codeOf(image: ElfImage): ModuleCode {
  let code = read.get(image)
  if (code === undefined) {
    code = moduleCodeOf(image)
    read.set(image, code)
  }
  return code
}
