import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { KeptNumbers } from '../base/kept-numbers.ts'
import type { PlacementMemory } from '../probe/module-code.ts'

/** More would cost more to read back than to find out. */
const functionsMax = 20_000

/** What was decided on a library's functions in earlier runs of this very utrace. */
export function placementMemory(buildId: string): PlacementMemory {
  const kept = new KeptNumbers(`code-${buildId}-${ownVersion()}`)
  let room = functionsMax
  const keyOf = (address: number, returnAddressOnTop: boolean) =>
    `${address.toString(16)}${returnAddressOnTop ? ' top' : ''}`
  return {
    get: (address, returnAddressOnTop) => kept.get(keyOf(address, returnAddressOnTop)),
    set: (address, returnAddressOnTop, offset) => {
      if (room-- > 0) kept.set(keyOf(address, returnAddressOnTop), offset)
    },
  }
}

/** Another build may decide otherwise. */
function ownVersion(): string {
  const { size, mtimeMs } = statSync(fileURLToPath(import.meta.url))
  return `${size.toString(36)}-${Math.floor(mtimeMs).toString(36)}`
}
