import type { Subject, Summary } from './aggregate.ts'

/** The names of processes and threads, where they are known. */
export interface TaskNames {
  processName(pid: number): string | undefined
  threadName(tid: number): string | undefined
}

export const noTaskNames: TaskNames = { processName: () => undefined, threadName: () => undefined }

/** What a line of a report is about, in words, not escaped: `parse`, `libc.so.6`, `12/34 worker`, `12 server`. */
function subjectLabel(subject: Subject, names: TaskNames): string {
  switch (subject.by) {
    case 'function':
      return subject.name
    case 'module':
      return subject.module
    case 'thread':
      return withName(`${subject.pid}/${subject.tid}`, names.threadName(subject.tid))
    case 'process':
      return withName(String(subject.pid), names.processName(subject.pid))
  }
}

const withName = (id: string, name: string | undefined) => (name === undefined ? id : `${id} ${name}`)

/** Tells functions of one name apart: by their module, and where they share that too, by their symbol. */
export function distinctLabels(subjects: readonly Subject[], names: TaskNames): Map<Subject, string> {
  const labels = new Map(subjects.map((subject) => [subject, subjectLabel(subject, names)]))
  for (const addition of [
    (subject: Subject) => ('module' in subject ? `@${subject.module}` : ''),
    (subject: Subject) => ('symbol' in subject ? ` [${subject.symbol}]` : ''),
  ]) {
    const uses = new Map<string, number>()
    for (const label of labels.values()) uses.set(label, (uses.get(label) ?? 0) + 1)
    for (const [subject, label] of labels)
      if (uses.get(label)! > 1) labels.set(subject, label + addition(subject))
  }
  return labels
}

/** ` [1 cut, 2 inferred]`, or nothing: how calls ended that did not return. */
export function endsComment({ cut, inferred, unwound }: Summary['ends']): string {
  const parts = Object.entries({ cut, inferred, unwound }).filter(([, count]) => count > 0)
  if (parts.length === 0) return ''
  return ` /* ${parts.map(([how, count]) => `${count} ${how}`).join(', ')} */`
}
