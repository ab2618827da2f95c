import { readCached, writeCached } from './disk-cache.ts'

/** Numbers by name, kept on disk for later runs: all under one name of the cache. */
export class KeptNumbers {
  readonly #cacheName: string
  readonly #numbers: Map<string, number>
  #isSaving = false

  constructor(cacheName: string) {
    this.#cacheName = cacheName
    this.#numbers = numbersIn(readCached(cacheName))
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
      writeCached(this.#cacheName, Object.fromEntries(this.#numbers))
    })
  }
}

function numbersIn(cached: unknown): Map<string, number> {
  if (typeof cached !== 'object' || cached === null) return new Map()
  return new Map(
    Object.entries(cached).filter(
      (entry): entry is [string, number] => Number.isSafeInteger(entry[1]) && entry[1] >= 0,
    ),
  )
}
