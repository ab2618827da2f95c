import { KeptNumbers } from '../base/kept-numbers.ts'
import { ownBuild } from '../base/own-build.ts'
import type { PlacementMemory } from '../probe/module-code.ts'

/** More would cost more to read back than to find out. */
const functionsMax = 20_000

/**
 * What was decided on a library's functions in earlier runs. Another build of utrace may decide otherwise.
 * @param decider the build of utrace
 * @returns undefined where the sources may change from run to run
 */
export function placementMemory(buildId: string, decider = ownBuild): PlacementMemory | undefined {
  if (decider === undefined) return undefined
  const kept = new KeptNumbers(`code-${buildId}`, decider)
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
