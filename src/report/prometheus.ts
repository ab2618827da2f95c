import { type SummedFunction, sortSums } from './sums.ts'

const nsPerSecond = 1e9

/**
 * The text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/): a counter of calls, one
 * of the time in the functions themselves, and a histogram of durations, by function.
 */
export function prometheusText(all: readonly SummedFunction[]): string {
  const rows = sortSums(all, ['name']).map(({ fn, sums }) => {
    const labels = `function="${labelText(fn.name)}",symbol="${labelText(fn.symbol)}",module="${labelText(fn.module)}"`
    return { labels, sums }
  })
  const lines = [
    '# HELP utrace_calls_total Calls that have begun.',
    '# TYPE utrace_calls_total counter',
    ...rows.map(({ labels, sums }) => `utrace_calls_total{${labels}} ${sums.begun}`),
    '# HELP utrace_self_seconds_total Time in the calls, without the calls that they made.',
    '# TYPE utrace_self_seconds_total counter',
    ...rows.map(({ labels, sums }) => `utrace_self_seconds_total{${labels}} ${sums.selfNs / nsPerSecond}`),
    '# HELP utrace_call_duration_seconds Durations of calls that have ended.',
    '# TYPE utrace_call_duration_seconds histogram',
    ...rows.flatMap(({ labels, sums }) => [
      ...bucketsOf(sums.histogram).map(
        ({ le, count }) => `utrace_call_duration_seconds_bucket{${labels},le="${le}"} ${count}`,
      ),
      `utrace_call_duration_seconds_sum{${labels}} ${sums.sumNs / nsPerSecond}`,
      `utrace_call_duration_seconds_count{${labels}} ${sums.ended}`,
    ]),
  ]
  return `${lines.join('\n')}\n`
}

/** Every fourfold from a microsecond (2^10 ns) to a minute (2^36 ns): the same for all functions, so that they can be added up. */
const exponents = Array.from({ length: 14 }, (_, index) => 10 + 2 * index)

function bucketsOf(histogram: readonly number[]): { readonly le: string; readonly count: number }[] {
  const below = (exponent: number) => histogram.slice(0, exponent).reduce((sum, count) => sum + count, 0)
  return [
    ...exponents.map((exponent) => ({ le: String(2 ** exponent / nsPerSecond), count: below(exponent) })),
    { le: '+Inf', count: below(histogram.length) },
  ]
}

/** Backslash, quote and line feed are escaped; other control characters have no meaning there. */
function labelText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
