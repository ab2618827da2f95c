import { closeSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { UserError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { formatSize } from '../base/size.ts'

/** A file that is open for writing, at its end. */
export interface WritableFile {
  readonly fd: number
  /**
   * @param position where in the file; by default behind what was written last
   * @throws UserError that says why it is not possible
   */
  write(bytes: Uint8Array, position?: number): void
  close(): void
}

/** How large a recording may get, and what happens then: it stops, or forgets what is oldest. */
export interface SizeLimit {
  readonly kind: 'stop' | 'ring'
  readonly bytes: number
}

const copyBytes = 1024 * 1024

/** The file that a recorder writes: of limited size, and never with half a chunk at its end for want of room. */
export class RecordingFile {
  readonly #path: string
  readonly #create: (path: string) => WritableFile
  readonly #limit: SizeLimit | undefined
  #file: WritableFile
  #bytes = 0
  /** A part of a chunk was written and taken back: writing would go on behind it. */
  #hasFailed = false
  /** Where what the older half of a ring does not have begins. */
  #contentStart = 0
  /** Size of the older half of a ring. */
  #olderBytes = 0

  /** @param create makes a new file, which must not exist */
  constructor(path: string, create: (path: string) => WritableFile, limit: SizeLimit | undefined) {
    this.#path = path
    this.#create = create
    this.#limit = limit
    this.#file = create(path)
  }

  /** On disk. */
  get sizeBytes(): number {
    return this.#bytes + this.#olderBytes
  }

  /** Chunks should not be larger, or the limit could not be kept well. */
  get comfortableChunkBytes(): number {
    return this.#limit === undefined ? Number.POSITIVE_INFINITY : Math.floor(this.#limit.bytes / 16)
  }

  /** Whether the newer half of a ring is full. */
  get wantsRotation(): boolean {
    return this.#limit?.kind === 'ring' && this.#bytes >= this.#limit.bytes / 2
  }

  /** @throws UserError; the file then ends with the bytes before */
  append(bytes: Uint8Array): void {
    try {
      this.#file.write(bytes, this.#hasFailed ? this.#bytes : undefined)
    } catch (error) {
      this.#hasFailed = true
      ftruncateSync(this.#file.fd, this.#bytes)
      throw error
    }
    this.#bytes += bytes.length
  }

  /** @throws UserError where so many bytes, and what belongs to them, would exceed a limit that stops */
  makeRoom(bytes: number): void {
    if (this.#limit?.kind !== 'stop') return
    if (this.#bytes + bytes + this.comfortableChunkBytes > this.#limit.bytes) {
      throw new UserError(`it has reached its size limit of ${formatSize(this.#limit.bytes)}`)
    }
  }

  /** What was written so far is in the older half of a ring as well. */
  beginsHere(): void {
    this.#contentStart = this.#bytes
  }

  /** Begins a new half. What is killed from here on leaves two files that can both be read. */
  rotate(): void {
    this.#file.close()
    renameSync(this.#path, this.#olderPath)
    this.#olderBytes = this.#bytes
    this.#bytes = 0
    this.#file = this.#create(this.#path)
  }

  /** Joins the halves of a ring, and closes. @throws UserError where the disk has no room for that */
  finish(): void {
    this.#file.close()
    if (this.#olderBytes === 0) return
    try {
      this.#join()
    } catch (cause) {
      throw new UserError(
        `the two halves of the recording could not be joined: read ${escapeText(this.#olderPath)} and ` +
          `${escapeText(this.#path)} one by one`,
        { cause },
      )
    }
  }

  #join(): void {
    const newer = openSync(this.#path, 'r')
    const older = openSync(this.#olderPath, 'r+')
    try {
      const buffer = Buffer.allocUnsafe(copyBytes)
      let to = this.#olderBytes
      for (let from = this.#contentStart; from < this.#bytes; ) {
        const count = readSync(newer, buffer, 0, Math.min(copyBytes, this.#bytes - from), from)
        if (count === 0) break
        for (let done = 0; done < count; ) done += writeSync(older, buffer, done, count - done, to + done)
        from += count
        to += count
      }
    } catch (error) {
      ftruncateSync(older, this.#olderBytes)
      throw error
    } finally {
      closeSync(newer)
      closeSync(older)
    }
    renameSync(this.#olderPath, this.#path)
  }

  get #olderPath(): string {
    return `${this.#path}.older`
  }
}
