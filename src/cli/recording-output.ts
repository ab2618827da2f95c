import { lstatSync, renameSync } from 'node:fs'
import { UserError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { RecordingFile, type SizeLimit } from '../recording/recording-file.ts'
import { fileOutput, isOwnFile } from './output.ts'

/** Makes the file of a new recording; an earlier one is kept as `PATH.old`. @throws UserError */
export function createRecordingFile(path: string, limit: SizeLimit | undefined): RecordingFile {
  keepEarlier(path)
  return new RecordingFile(path, fileOutput, limit)
}

function keepEarlier(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isFile()) return
  if (!isOwnFile(stat)) {
    throw new UserError(`cannot write to ${escapeText(path)}: it belongs to another user: give another file`)
  }
  try {
    renameSync(path, `${path}.old`)
  } catch (cause) {
    throw new UserError(`cannot keep ${escapeText(path)} as ${escapeText(path)}.old: move it away`, { cause })
  }
}
