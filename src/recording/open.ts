import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { ByteSource } from '../base/byte-source.ts'
import { messageOf, UserError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { asTraceNs } from '../base/units.ts'
import { chunkHeaderBytes, decodeFileHeader, fileHeaderBytes, formatVersion } from './format.ts'
import type { Recording } from './recording.ts'
import { RecordingScan } from './scan.ts'

/**
 * Opens a recording: reads what it says of itself, and where its events are. A recording that was cut or damaged is
 * opened up to there; its `warnings` say so.
 * @throws UserError where there is no recording, or none that this version can read
 */
export function openRecording(path: string): Recording {
  const file = openFile(path)
  try {
    return openRecordingSource(file, path, file.close)
  } catch (error) {
    file.close()
    throw error
  }
}

/** The same for bytes from anywhere. @param path for messages */
export function openRecordingSource(source: ByteSource, path: string, close = () => {}): Recording {
  const name = escapeText(path)
  const version = decodeFileHeader(source.read(0, fileHeaderBytes))
  if (version === 'foreign')
    throw new UserError(`${name} is not a recording of utrace: make one with 'utrace record'`)
  if (version === 'damaged') throw new UserError(`${name} is damaged at its very beginning: record again`)
  if (version.major > formatVersion.major) {
    throw new UserError(
      `${name} was recorded by a newer utrace (format ${version.major}, this one reads up to ` +
        `${formatVersion.major}): read it with that version`,
    )
  }
  const scan = new RecordingScan(source)
  scan.run()
  if (scan.origin === undefined) {
    throw new UserError(`${name} was cut, or is damaged, before its first event: record again`)
  }
  const { origin, chunks } = scan
  return {
    path,
    sizeBytes: source.size,
    version,
    origin,
    clock: { baseNs: origin.clockBaseNs },
    functions: scan.functions,
    modules: scan.modules,
    processes: [...scan.processes].map(([pid, task]) => ({ pid, name: task })),
    threads: [...scan.threads].map(([tid, task]) => ({ tid, ...task })),
    firstNs: asTraceNs(
      chunks.reduce((first, { header }) => Math.min(first, header.minNs), chunks[0]?.header.minNs ?? 0),
    ),
    lastNs: asTraceNs(chunks.reduce((last, { header }) => Math.max(last, header.maxNs), 0)),
    eventCount: chunks.reduce((sum, { header }) => sum + header.eventCount, 0),
    end: scan.end,
    warnings: scan.warnings,
    source,
    chunks,
    lastNotes: scan.notes,
    close,
  }
}

function openFile(path: string): ByteSource & { readonly close: () => void } {
  let fd: number
  try {
    // Not to hang on a FIFO.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason =
      code === 'ENOENT'
        ? "there is no such file: make one with 'utrace record', or name another with -i FILE"
        : code === 'EACCES'
          ? 'not permitted: run as its owner'
          : messageOf(cause)
    throw new UserError(`cannot read ${escapeText(path)}: ${reason}`, { cause })
  }
  const stat = fstatSync(fd)
  if (!stat.isFile()) {
    closeSync(fd)
    throw new UserError(`cannot read ${escapeText(path)}: it is not a plain file: give a recording`)
  }
  let buffer = Buffer.allocUnsafeSlow(Math.max(chunkHeaderBytes, 512 * 1024))
  return {
    size: stat.size,
    read: (offset, length) => {
      const wanted = Math.max(0, Math.min(length, stat.size - offset))
      if (buffer.length < wanted) buffer = Buffer.allocUnsafeSlow(wanted * 2)
      let done = 0
      while (done < wanted) {
        const count = readSync(fd, buffer, done, wanted - done, offset + done)
        if (count === 0) break
        done += count
      }
      return buffer.subarray(0, done)
    },
    close: () => closeSync(fd),
  }
}
