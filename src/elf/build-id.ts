import { ByteReader } from '../base/byte-reader.ts'

const NT_GNU_BUILD_ID = 3

/** The build id in the notes of a `PT_NOTE` segment (gABI "Note Section"), as lower-case hexadecimal. */
export function findBuildId(notes: Uint8Array): string | undefined {
  const fields = new ByteReader(notes)
  while (fields.remaining >= 12) {
    const nameSize = fields.u32()
    const descriptionSize = fields.u32()
    const type = fields.u32()
    const name = fields.offset
    const description = name + align4(nameSize)
    const end = description + descriptionSize
    if (end > notes.length) return undefined
    if (
      type === NT_GNU_BUILD_ID &&
      nameSize === 4 &&
      Buffer.from(notes.subarray(name, name + 3)).equals(GNU)
    ) {
      return Buffer.from(notes.subarray(description, end)).toString('hex') || undefined
    }
    fields.offset = align4(end)
  }
  return undefined
}

const GNU = Buffer.from('GNU')
const align4 = (value: number) => value + ((4 - (value % 4)) % 4)
