import { readFileSync } from 'node:fs'

const folder = '/sys/devices/system/cpu'

/** Numbers of the CPUs that run now. */
export function onlineCpus(): number[] {
  return parseCpuList(readFileSync(`${folder}/online`, 'latin1'))
}

/** One more than the highest number that a CPU can have here. */
export function possibleCpuCount(): number {
  return Math.max(...parseCpuList(readFileSync(`${folder}/possible`, 'latin1'))) + 1
}

/** @param text the kernel's list format: `0-3,8,10-11` */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, index) => first + index)
    })
}
