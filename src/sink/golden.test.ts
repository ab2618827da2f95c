import { describe, expect, test } from 'vitest'
import { tracedThread } from '../../test/support/traced-thread.ts'
import { parseDuration } from '../base/duration.ts'
import { asDurationNs, asPid, asTid, asTraceNs, type TraceNs } from '../base/units.ts'
import type { Call, CallEnd, TracedFunction, TracedThread, TraceSink } from '../trace/call.ts'
import { withMaxDepth, withThreadFilter, withTimeFilter } from '../trace/filters.ts'
import { createFlatSink } from './flat.ts'
import { createGraphSink } from './graph.ts'
import { createJsonLinesSink } from './jsonl.ts'
import type { OutputSink } from './output-sink.ts'

/**
 * Golden tests: each case shows what goes into a sink, and indented below each input the lines that it caused.
 *
 *     TIME THREAD begin NAME      THREAD is TID, PID/TID, either with @CPU
 *     TIME THREAD end [HOW]       ends the innermost call of the thread
 *     TIME THREAD note TEXT       TIME note TEXT      TIME lost COUNT@CPU      TIME tick      finish
 *
 * A NAME or TEXT in quotes is a JSON string. `␛` stands for the escape character.
 */
interface Setup {
  readonly format?: 'graph' | 'flat' | 'jsonl'
  readonly cpu?: boolean
  readonly tid?: boolean
  readonly timestamp?: boolean
  readonly libname?: boolean
  readonly color?: boolean
  readonly baseNs?: bigint
  readonly filter?: (sink: TraceSink) => TraceSink & { tick?(now: TraceNs): void }
}

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] }

const functions = new Map<string, TracedFunction>()
const garbageFunction: TracedFunction = { id: 0, name: 'GARBAGE', symbol: '', module: '', kind: 'function' }
const garbageThread: TracedThread = { pid: asPid(666), tid: asTid(666) }

function unquoted(text: string): string {
  return text.startsWith('"') ? JSON.parse(text) : text
}

function tracedFunction(name: string): TracedFunction {
  const known = functions.get(name)
  if (known !== undefined) return known
  const fn = {
    id: functions.size + 1,
    name,
    symbol: `_${name}`,
    module: 'libfoo.so.1',
    kind: 'function',
  } as const
  functions.set(name, fn)
  return fn
}

/** Drives a sink as the engine does: one `Call` object for everything, worthless after each callback. */
class Driver {
  readonly #open = new Map<number, { fn: TracedFunction; beginNs: TraceNs; beginCpu: number }[]>()
  readonly #call = {} as Mutable<Call>

  begin(sink: TraceSink, thread: TracedThread, cpu: number, timeNs: TraceNs, fn: TracedFunction): void {
    const stack = this.#open.get(thread.tid) ?? []
    this.#open.set(thread.tid, stack)
    this.#pass(sink.begin, { fn, thread, depth: stack.length, beginNs: timeNs, beginCpu: cpu })
    stack.push({ fn, beginNs: timeNs, beginCpu: cpu })
  }

  end(sink: TraceSink, thread: TracedThread, cpu: number, timeNs: TraceNs, how: CallEnd): void {
    const stack = this.#open.get(thread.tid)!
    const frame = stack.pop()!
    this.#pass(sink.end, { ...frame, thread, depth: stack.length, endNs: timeNs, endCpu: cpu, how })
  }

  #pass(callback: (call: Call) => void, fields: Partial<Call>): void {
    const nowhere = asTraceNs(1e12)
    const garbage = {
      depth: 99,
      beginNs: nowhere,
      beginCpu: 99,
      endNs: nowhere,
      endCpu: 99,
      how: 'cut',
    } as const
    Object.assign(this.#call, garbage, fields)
    callback(this.#call)
    Object.assign(this.#call, garbage, { fn: garbageFunction, thread: garbageThread })
  }
}

function createSink(setup: Setup, write: (chunk: Uint8Array) => void): OutputSink {
  const { cpu = false, tid = false, timestamp = false, libname = false, color = false } = setup
  const options = { write, clock: { baseNs: setup.baseNs ?? 0n }, cpu, tid, timestamp, libname, color }
  if (setup.format === 'flat') return createFlatSink(options)
  return setup.format === 'jsonl' ? createJsonLinesSink(options) : createGraphSink(options)
}

function replay(setup: Setup, inputs: readonly string[]): string {
  const result: string[] = []
  const output = createSink(setup, (chunk) => {
    const text = Buffer.from(chunk).toString().replaceAll('\x1b', '␛')
    expect(text.endsWith('\n')).toBe(true)
    for (const line of text.slice(0, -1).split('\n')) result.push(`    ${line}`)
  })
  const sink = setup.filter?.(output) ?? output
  const driver = new Driver()
  for (const input of inputs) {
    result.push(input)
    feed(input, sink, output, driver)
    output.flush()
  }
  return result.join('\n')
}

function feed(
  input: string,
  sink: TraceSink & { tick?(now: TraceNs): void },
  output: OutputSink,
  driver: Driver,
) {
  if (input === 'finish') {
    output.finish()
    return
  }
  const words = /^(\S+) (?:(?:(\d+)\/)?(\d+)(?:@(\d+))? )?(begin|end|note|lost|tick)(?: (.*))?$/.exec(input)
  if (words === null) throw new Error(`not an input: ${input}`)
  const [, time = '', pid, tid = '', cpu = '0', what, rest = ''] = words
  const timeNs = asTraceNs(parseDuration(time))
  const thread = tracedThread(Number(tid), Number(pid ?? 1))
  if (what === 'begin') driver.begin(sink, thread, Number(cpu), timeNs, tracedFunction(unquoted(rest)))
  if (what === 'end') driver.end(sink, thread, Number(cpu), timeNs, (rest || 'return') as CallEnd)
  if (what === 'note') sink.note({ timeNs, text: unquoted(rest), ...(tid === '' ? {} : { thread }) })
  if (what === 'lost') {
    const [count, lossCpu] = rest.split('@').map(Number)
    sink.lost({ timeNs, cpu: lossCpu!, count: count! })
  }
  if (what === 'tick') {
    sink.tick?.(timeNs)
    if (sink !== output) output.tick(timeNs)
  }
}

function golden(name: string, setup: Setup, text: string): void {
  test(name, () => {
    const lines = text.split('\n').slice(1, -1)
    const margin = lines[0]!.search(/\S/)
    const expected = lines.map((line) => line.slice(margin))
    const inputs = expected.filter((line) => !line.startsWith('    '))
    expect(replay(setup, inputs)).toBe(expected.join('\n'))
  })
}

describe('graph', () => {
  golden(
    'a leaf is one line, at its end',
    {},
    `
      0ns 10 begin f
      811ns 10 end
             DURATION | FUNCTION
           811.000 ns | f();
      1us 10 begin g
      2.5us 10 end
             1.500 us | g();
    `,
  )

  golden(
    'others open with their first child',
    {},
    `
      0ns 10 begin main
      100ns 10 begin ns::f(int)
             DURATION | FUNCTION
                      | main() {
      200ns 10 begin g
                      |   ns::f(int) {
      1us 10 end
           800.000 ns |     g();
      2us 10 end
             1.900 us |   } /* ns::f(int) */
      2.1us 10 begin ns::f(int)
      2.2us 10 end
           100.000 ns |   ns::f(int);
      3us 10 end
             3.000 us | } /* main */
    `,
  )

  golden(
    'with modules',
    { libname: true },
    `
      0ns 10 begin main
      100ns 10 begin ns::f(int)
             DURATION | FUNCTION
                      | main@libfoo.so.1() {
      200ns 10 end
           100.000 ns |   ns::f(int)@libfoo.so.1;
      3us 10 end
             3.000 us | } /* main@libfoo.so.1 */
    `,
  )

  golden(
    'cpu, tid and timestamp: of the begin, on closing lines of the end',
    { cpu: true, tid: true, timestamp: true, baseNs: 12_345_999_999_000n },
    `
      0ns 10@0 begin main
      100ns 10@0 begin f
          CPU     TID         TIMESTAMP    DURATION | FUNCTION
            0      10   12345.999999000             | main() {
      1.1us 10@1 end
            0      10   12345.999999100    1.000 us |   f();
      2us 10@1 end
            1      10   12346.000001000    2.000 us | } /* main */
    `,
  )

  golden(
    'a second thread brings the TID column, and a line marks each switch',
    {},
    `
      0ns 10 begin main
      1us 10 begin f
             DURATION | FUNCTION
                      | main() {
      2us 11 begin worker
      3us 11 begin g
                      | /* above: TID 10 */
              TID    DURATION | FUNCTION
               11             | worker() {
      4us 11 end
               11    1.000 us |   g();
      5us 10 end
          --------------------+-----------
               10    4.000 us |   f();
      6us 10 begin f
      7us 10 end
               10    1.000 us |   f();
      8us 11 end
          --------------------+-----------
               11    6.000 us | } /* worker */
      9us 10 end
          --------------------+-----------
               10    9.000 us | } /* main */
    `,
  )

  golden(
    'leaves of several threads stay leaves',
    { tid: true },
    `
      0ns 10 begin f
      1us 11 begin g
      2us 10 end
              TID    DURATION | FUNCTION
               10    2.000 us | f();
      3us 11 end
          --------------------+-----------
               11    2.000 us | g();
    `,
  )

  golden(
    'a second process brings the PID column',
    {},
    `
      0ns 1/10 begin main
      1us 1/10 end
             DURATION | FUNCTION
             1.000 us | main();
      1us 1/11 begin f
      2us 1/11 end
                      | /* above: TID 10 */
              TID    DURATION | FUNCTION
               11    1.000 us | f();
      3us 2/20 begin main
      4us 2/20 end
                              | /* above: PID 1 */
              PID     TID    DURATION | FUNCTION
                2      20    1.000 us | main();
    `,
  )

  golden(
    'thread and process at once',
    { cpu: true },
    `
      0ns 1/10@1 begin main
      1us 1/10@1 end
          CPU    DURATION | FUNCTION
            1    1.000 us | main();
      3us 2/20@2 begin main
      4us 2/20@2 end
                          | /* above: PID 1, TID 10 */
          CPU     PID     TID    DURATION | FUNCTION
            2       2      20    1.000 us | main();
    `,
  )

  golden(
    'a call that blocks is shown as open after 40 ms',
    {},
    `
      0ns 10 begin main
      1ms 10 begin sleep
             DURATION | FUNCTION
                      | main() {
      40ms 10 tick
      41ms 10 tick
                      |   sleep() {
      80ms 10 tick
      2s 10 end
             1.999 s  |   } /* sleep */
      2s 10 begin f
      2.000001s 10 end
             1.000 us |   f();
      2.1s 10 end
             2.100 s  | } /* main */
    `,
  )

  golden(
    'how a call ended, and which durations are bounds',
    {},
    `
      0ns 10 begin main
      1us 10 begin throws
             DURATION | FUNCTION
                      | main() {
      2us 10 begin raise
                      |   throws() {
      3us 10 end unwound
          <  1.000 us |     raise(); /* unwound */
      3us 10 end unwound
          <  2.000 us |   } /* throws: unwound */
      4us 10 begin tail
      5us 10 end inferred
          <  1.000 us |   tail(); /* inferred */
      6us 10 begin spin
      7us 10 begin pause
                      |   spin() {
      9us 10 end cut
          >  2.000 us |     pause(); /* cut */
      9us 10 end cut
          >  3.000 us |   } /* spin: cut */
      9us 10 end cut
          >  9.000 us | } /* main: cut */
      finish
    `,
  )

  golden(
    'a loss opens what is open, because children may be missing',
    { cpu: true, tid: true },
    `
      0ns 10@2 begin main
      1us 11@3 begin f
      2us lost 123@1
          CPU     TID    DURATION | FUNCTION
            2      10             | main() {
          ------------------------+-----------
            3      11             | f() {
            1                     | /* 123 events lost on CPU 1 */
      3us 11@3 end
            3      11    2.000 us | } /* f */
      4us lost 1@0
            0                     | /* 1 event lost on CPU 0 */
      5us 10@2 end
          ------------------------+-----------
            2      10    5.000 us | } /* main */
    `,
  )

  golden(
    'notes are lines of their own, in their thread if they have one',
    { tid: true },
    `
      0ns 10 begin main
      1us 11 begin f
      2us 10 note main: moved to ret probes
              TID    DURATION | FUNCTION
               10             | main() {
               10             | /* main: moved to ret probes */
      3us 11 end
          --------------------+-----------
               11    2.000 us | f();
      4us note "\\u001b[2J and \\u202e do no harm"
                              | /* \\x1b[2J and \\u202e do no harm */
      5us 10 end
          --------------------+-----------
               10    5.000 us | } /* main */
    `,
  )

  golden(
    'before any call',
    {},
    `
      0ns lost 7@0
             DURATION | FUNCTION
                      | /* 7 events lost on CPU 0 */
      1us note attached
                      | /* attached */
      2us 10 begin f
      3us 10 end
             1.000 us | f();
    `,
  )

  golden(
    'nothing at all',
    {},
    `
      finish
    `,
  )

  golden(
    'hostile names',
    {},
    `
      0ns 10 begin "evil\\u001b[2J\\nname"
      1us 10 begin "half \\ud800"
             DURATION | FUNCTION
                      | evil\\x1b[2J\\x0aname() {
      2us 10 end
             1.000 us |   half \\ud800();
      3us 10 end
             3.000 us | } /* evil\\x1b[2J\\x0aname */
    `,
  )

  golden(
    'durations of every size',
    {},
    `
      0ns 10 begin f
      0ns 10 end
             DURATION | FUNCTION
             0.000 ns | f();
      0ns 10 begin f
      999ns 10 end
           999.000 ns | f();
      0ns 10 begin f
      999.999us 10 end
           999.999 us | f();
      0ns 10 begin f
      999999.499us 10 end
                      | f() {
           999.999 ms | } /* f */
      0ns 10 begin f
      999999.5us 10 end
                      | f() {
             1.000 s  | } /* f */
      0ns 10 begin f
      59.999s 10 end
                      | f() {
            59.999 s  | } /* f */
      0ns 10 begin f
      1m 10 end
                      | f() {
             1.000 m  | } /* f */
      0ns 10 begin f
      90m 10 end
                      | f() {
             1.500 h  | } /* f */
      0ns 10 begin f
      2400h 10 end cut
                      | f() {
          >2400.000 h  | } /* f: cut */
    `,
  )

  golden(
    'colours by unit',
    { color: true },
    `
      0ns 10 begin ns
      1ns 10 end
             DURATION | FUNCTION
             1.000 ns | ns();
      0ns 10 begin us
      1us 10 end
          ␛[32m   1.000 us␛[0m | us();
      0ns 10 begin ms
      1ms 10 end
          ␛[33m   1.000 ms␛[0m | ms();
      0ns 10 begin s
      1s 10 end
                      | s() {
          ␛[1;31m   1.000 s ␛[0m | } /* s */
      0ns 10 begin m
      1m 10 end
                      | m() {
          ␛[1;35m   1.000 m ␛[0m | } /* m */
      0ns 10 begin h
      1h 10 end cut
                      | h() {
          ␛[1;35m>  1.000 h ␛[0m | } /* h: cut */
    `,
  )
})

describe('flat', () => {
  golden(
    'begin, end and leaf',
    { format: 'flat' },
    `
      0ns 10 begin main
      1us 10 begin ns::f(int)
          → [0] main
      2us 10 begin g
          → [1] ns::f(int)
      2.811us 10 end
          ↔ [2] g [811.000 ns]
      5us 10 end unwound
          ← [1] ns::f(int) [<4.000 us] /* unwound */
      6us 10 begin tail
      7us 10 end inferred
          ↔ [1] tail [<1.000 us] /* inferred */
      9us 10 end cut
          ← [0] main [>9.000 us] /* cut */
      finish
    `,
  )

  golden(
    'with modules and columns',
    { format: 'flat', cpu: true, timestamp: true, libname: true, baseNs: 77_000_000_000n },
    `
      0ns 10@3 begin main
      1us 10@3 begin f
          CPU         TIMESTAMP | FUNCTION
            3      77.000000000 | → [0] main@libfoo.so.1
      2us 10@3 end
            3      77.000001000 | ↔ [1] f@libfoo.so.1 [1.000 us]
      9us 10@1 end
            1      77.000009000 | ← [0] main@libfoo.so.1 [9.000 us]
    `,
  )

  golden(
    'a second thread brings the TID column, and each line stands alone',
    { format: 'flat' },
    `
      0ns 10 begin main
      1us 10 begin f
          → [0] main
      1us 11 begin g
      2us 11 end
          /* above: TID 10 */
              TID | FUNCTION
               11 | ↔ [0] g [1.000 us]
      3us 10 end
               10 | ↔ [1] f [2.000 us]
      4us lost 1@0
                  | /* 1 event lost on CPU 0 */
      5us 10 end
               10 | ← [0] main [5.000 us]
    `,
  )

  golden(
    'colours and a call that blocks',
    { format: 'flat', color: true },
    `
      0ns 10 begin sleep
      40ms tick
          → [0] sleep
      1.5s 10 end
          ← [0] sleep [␛[1;31m1.500 s␛[0m]
    `,
  )
})

describe('jsonl', () => {
  golden(
    'every event, at once',
    { format: 'jsonl' },
    `
      0ns 1/10@2 begin main
          {"type":"begin","tsNs":0,"pid":1,"tid":10,"cpu":2,"depth":0,"name":"main","symbol":"_main","module":"libfoo.so.1"}
      1us 1/10@2 begin ns::f(int)
          {"type":"begin","tsNs":1000,"pid":1,"tid":10,"cpu":2,"depth":1,"name":"ns::f(int)","symbol":"_ns::f(int)","module":"libfoo.so.1"}
      1.811us 1/10@3 end
          {"type":"end","tsNs":1811,"pid":1,"tid":10,"cpu":3,"depth":1,"name":"ns::f(int)","symbol":"_ns::f(int)","module":"libfoo.so.1","durationNs":811,"rawDurationNs":811,"how":"return"}
      2us lost 123@1
          {"type":"lost","tsNs":2000,"cpu":1,"count":123}
      3us note attached
          {"type":"note","tsNs":3000,"text":"attached"}
      3us 1/10 note moved
          {"type":"note","tsNs":3000,"pid":1,"tid":10,"text":"moved"}
      4us 1/10@0 end cut
          {"type":"end","tsNs":4000,"pid":1,"tid":10,"cpu":0,"depth":0,"name":"main","symbol":"_main","module":"libfoo.so.1","durationNs":4000,"rawDurationNs":4000,"how":"cut"}
      finish
    `,
  )

  golden(
    'hostile names survive exactly',
    { format: 'jsonl' },
    `
      0ns 1/10 begin "a\\"b\\\\c\\u001b\\u009b\\u202e\\n\\ud800"
          {"type":"begin","tsNs":0,"pid":1,"tid":10,"cpu":0,"depth":0,"name":"a\\"b\\\\c\\u001b\\u009b\\u202e\\n\\ud800","symbol":"_a\\"b\\\\c\\u001b\\u009b\\u202e\\n\\ud800","module":"libfoo.so.1"}
      1ns 1/10 end
          {"type":"end","tsNs":1,"pid":1,"tid":10,"cpu":0,"depth":0,"name":"a\\"b\\\\c\\u001b\\u009b\\u202e\\n\\ud800","symbol":"_a\\"b\\\\c\\u001b\\u009b\\u202e\\n\\ud800","module":"libfoo.so.1","durationNs":1,"rawDurationNs":1,"how":"return"}
    `,
  )

  golden(
    'times are exact after 200 days of uptime',
    { format: 'jsonl', baseNs: 17_280_000_999_999_999n },
    `
      0ns 1/10 begin f
          {"type":"begin","tsNs":17280000999999999,"pid":1,"tid":10,"cpu":0,"depth":0,"name":"f","symbol":"_f","module":"libfoo.so.1"}
      1ns 1/10 end
          {"type":"end","tsNs":17280001000000000,"pid":1,"tid":10,"cpu":0,"depth":0,"name":"f","symbol":"_f","module":"libfoo.so.1","durationNs":1,"rawDurationNs":1,"how":"return"}
    `,
  )
})

describe('filters', () => {
  golden(
    '--time-filter hides whole calls and keeps the ancestors of long ones',
    { format: 'flat', filter: (sink) => withTimeFilter(sink, asDurationNs(1000)) },
    `
      0ns 10 begin main
      100ns 10 begin f
      999ns 10 end
      1us 10 begin f
      1.1us 10 begin g
      1.2us 10 begin h
      2.2us 10 end
          → [0] main
          → [1] f
          → [2] g
          ↔ [3] h [1.000 us]
      2.3us 10 end
          ← [2] g [1.200 us]
      2.4us 10 end
          ← [1] f [1.400 us]
      2.5us 10 begin f
      2.6us 10 begin g
      2.7us 10 end cut
      3.5us 10 end cut
          ↔ [1] f [>1.000 us] /* cut */
      3.5us 10 end cut
          ← [0] main [>3.500 us] /* cut */
    `,
  )

  golden(
    '--time-filter shows a call that is still open once it is long enough',
    { filter: (sink) => withTimeFilter(sink, asDurationNs(1_000_000)) },
    `
      0ns 10 begin main
      1us 10 begin sleep
      500us 10 tick
      50ms 10 tick
             DURATION | FUNCTION
                      | main() {
                      |   sleep() {
      2s 10 end
             2.000 s  |   } /* sleep */
      2s 10 end
             2.000 s  | } /* main */
    `,
  )

  golden(
    '--time-filter holds calls of several threads apart',
    { format: 'jsonl', filter: (sink) => withTimeFilter(sink, asDurationNs(1000)) },
    `
      0ns 1/10 begin main
      100ns 1/11 begin worker
      200ns 1/11 begin f
      300ns 1/11 end
      400ns lost 5@0
          {"type":"lost","tsNs":400,"cpu":0,"count":5}
      900ns 1/10 end
      5us 1/11 end
          {"type":"begin","tsNs":100,"pid":1,"tid":11,"cpu":0,"depth":0,"name":"worker","symbol":"_worker","module":"libfoo.so.1"}
          {"type":"end","tsNs":5000,"pid":1,"tid":11,"cpu":0,"depth":0,"name":"worker","symbol":"_worker","module":"libfoo.so.1","durationNs":4900,"rawDurationNs":4900,"how":"return"}
    `,
  )

  golden(
    '--max-depth 1 shows outermost calls only',
    { filter: (sink) => withMaxDepth(sink, 1) },
    `
      0ns 10 begin main
      1us 10 begin f
      2us 10 begin g
      3us 10 end
      4us 10 end
      5us 10 end
             DURATION | FUNCTION
             5.000 us | main();
      6us lost 1@0
                      | /* 1 event lost on CPU 0 */
      7us note text
                      | /* text */
    `,
  )

  golden(
    '--max-depth 2, flat: the levels that are left keep their depth',
    { format: 'flat', filter: (sink) => withMaxDepth(sink, 2) },
    `
      0ns 10 begin main
      1us 10 begin f
          → [0] main
      2us 10 begin g
      3us 10 end
      4us 10 end
          ↔ [1] f [3.000 us]
      5us 10 end
          ← [0] main [5.000 us]
    `,
  )

  golden(
    '--tid-filter',
    { filter: (sink) => withThreadFilter(sink, new Set([11])) },
    `
      0ns 10 begin main
      1us 11 begin worker
      2us 11 end
             DURATION | FUNCTION
             1.000 us | worker();
      3us 10 note of the other thread
      4us 11 note of this thread
                      | /* of this thread */
      5us note of all
                      | /* of all */
      6us lost 2@1
                      | /* 2 events lost on CPU 1 */
      7us 10 end
    `,
  )
})
