import { readCached, writeCached } from './disk-cache.ts'

/** Numbers by name, kept on disk for later runs: all under one name of the cache, until another origin's take their place. */
export class KeptNumbers {
  readonly #cacheName: string
  readonly #origin: string
  readonly #numbers: Map<string, number>
  #isSaving = false

  /** @param origin who has found them out: those of another are forgotten */
  constructor(cacheName: string, origin: string) {
    this.#cacheName = cacheName
    this.#origin = origin
    this.#numbers = numbersOf(origin, readCached(cacheName))
  }

  get(key: string): number | undefined {
    return this.#numbers.get(key)
  }

  /** Many are learnt in a row: they are written once, soon. */
  set(key: string, value: number): void {
    this.#numbers.set(key, value)
    if (this.#isSaving) return
    this.#isSaving = true
    setImmediate(() => {
      this.#isSaving = false
      writeCached(this.#cacheName, { origin: this.#origin, numbers: Object.fromEntries(this.#numbers) })
    })
  }
}

function numbersOf(wantedOrigin: string, cached: unknown): Map<string, number> {
  const { origin, numbers } = (cached ?? {}) as { origin?: unknown; numbers?: unknown }
  if (origin !== wantedOrigin || typeof numbers !== 'object' || numbers === null) return new Map()
  return new Map(
    Object.entries(numbers).filter(
      (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0,
    ),
  )
}
