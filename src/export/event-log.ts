const initialCapacity = 4096
/** Bytes that two integers of 53 bits can take at most. */
const largestEntry = 2 * 8

/**
 * Begins and ends of one thread's calls in a few bytes each: the function's number with the kind in its
 * lowest bit, and the time since the event before, both in groups of 7 bits, least significant first.
 */
export class EventLog {
  #bytes = new Uint8Array(initialCapacity)
  #length = 0
  #lastNs = 0

  add(isBegin: boolean, frame: number, timeNs: number): void {
    if (this.#length + largestEntry > this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#bytes.length)
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#write(2 * frame + (isBegin ? 1 : 0))
    this.#write(timeNs - this.#lastNs)
    this.#lastNs = timeNs
  }

  forEach(visit: (isBegin: boolean, frame: number, timeNs: number) => void): void {
    const reader = { offset: 0 }
    let timeNs = 0
    while (reader.offset < this.#length) {
      const frameAndKind = this.#read(reader)
      timeNs += this.#read(reader)
      visit(frameAndKind % 2 === 1, Math.floor(frameAndKind / 2), timeNs)
    }
  }

  #write(value: number): void {
    for (; value > 0x7f; value = Math.floor(value / 128)) this.#bytes[this.#length++] = (value % 128) | 0x80
    this.#bytes[this.#length++] = value
  }

  #read(reader: { offset: number }): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes[reader.offset++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
}
