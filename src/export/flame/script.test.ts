import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exported } from '../../../test/support/export-trace.ts'
import { functionTable, type TraceEvent } from '../../../test/support/random-trace.ts'
import { asPid, asTid, asTraceNs } from '../../base/units.ts'
import type { Call } from '../../trace/call.ts'
import { createFlameGraphExport } from '../flame-graph.ts'

/** `main` calls `parse`, that calls `read`; then `main` calls `print`. */
function picture(): string {
  const [main, parse, read, print] = functionTable(['main', 'parse<int>(char&)', 'read', 'print'])
  const call = (fn: typeof main, depth: number, begin: number, end: number): Call => ({
    ...{ fn: fn!, thread: { pid: asPid(1), tid: asTid(1) }, depth, beginCpu: 0, endCpu: 0, how: 'return' },
    ...{ beginNs: asTraceNs(begin), endNs: asTraceNs(end) },
  })
  const outer = call(main, 0, 0, 1000)
  const middle = call(parse, 1, 0, 600)
  const inner = call(read, 2, 100, 400)
  const last = call(print, 1, 600, 900)
  const events: TraceEvent[] = [
    { type: 'begin', call: outer },
    { type: 'begin', call: middle },
    { type: 'begin', call: inner },
    { type: 'end', call: inner },
    { type: 'end', call: middle },
    { type: 'begin', call: last },
    { type: 'end', call: last },
    { type: 'end', call: outer },
  ]
  const options = {
    by: 'time',
    mergeThreads: false,
    samplePeriodNs: undefined,
    icicle: false,
    inverted: false,
  } as const
  return exported((target) => createFlameGraphExport({ ...target, ...options }), events).toString()
}

/**
 * Opens the picture in a browser and does things there: `steps` is JavaScript whose value comes back as JSON.
 * It finds `rect(name)`, `press(key)`, `details()`, `shown()` (names of the frames that are drawn).
 */
function inBrowser(steps: string): unknown {
  const probe = `<script><![CDATA[
    window.addEventListener('load', () => {
      const svg = document.documentElement
      const rects = [...svg.querySelectorAll('#frames rect')]
      const rect = (name) => rects.find(({ frame }) => frame.name === name)
      const press = (key, more = {}) => (document.activeElement ?? window).dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }))
      const details = () => svg.querySelector('#details').textContent
      const shown = () => rects.filter(({ style }) => style.display !== 'none').map(({ frame }) => frame.name)
      const click = (name) => rect(name).dispatchEvent(new MouseEvent('click', { bubbles: true }))
      const width = (name) => Math.round(Number(rect(name).getAttribute('width')))
      svg.setAttribute('data-result', JSON.stringify((() => { ${steps} })()))
    })
  ]]></script></svg>`
  const folder = mkdtempSync(join(tmpdir(), 'flame-'))
  try {
    const path = join(folder, 'flame.svg')
    writeFileSync(path, picture().replace(/<\/svg>\s*$/, probe))
    const dom = execFileSync(
      'chromium',
      [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--window-size=1220,600',
        `--user-data-dir=${folder}/profile`,
        '--dump-dom',
        `file://${path}`,
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 50_000 },
    )
    const [, result] = /data-result="([^"]*)"/.exec(dom) ?? []
    return JSON.parse(
      result!
        .replaceAll('&quot;', '"')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&'),
    )
  } finally {
    rmSync(folder, { recursive: true, maxRetries: 5 })
  }
}

test('in a browser, the flame graph zooms, searches and is walked in by keys', () => {
  const result = inBrowser(`
    const whole = shown()
    click('parse<int>(char&)')
    const zoomed = { shown: shown(), details: details(), widths: [width('main'), width('parse<int>(char&)'), width('read')] }
    press('ArrowUp')
    const above = details()
    press('ArrowDown'); press('ArrowDown')
    const below = details()
    press('Escape')
    const back = shown()
    press('f', { ctrlKey: true })
    const input = svg.querySelector('input')
    const isSearching = document.activeElement === input
    input.value = 'PR'
    input.dispatchEvent(new Event('input'))
    const found = rects.filter((item) => item.classList.contains('found')).map(({ frame }) => frame.name)
    const share = svg.querySelector('#tools span').textContent
    press('Enter')
    return { whole, zoomed, above, below, back, isSearching, found, share, match: details() }
  `)
  expect(result).toEqual({
    whole: ['all', 'main', 'parse<int>(char&)', 'read', 'print'],
    zoomed: {
      shown: ['all', 'main', 'parse<int>(char&)', 'read'],
      details:
        '600 ns, 60.00 % · 100.00 % of the zoomed · self 300 ns · 1 call · parse<int>(char&) [libparse<int>(char&)]',
      widths: [1200, 1200, 600],
    },
    above: '300 ns, 30.00 % · 50.00 % of the zoomed · 1 call · read [libread]',
    below: '1.000 us, 100.00 % · self 100 ns · 1 call · main [libmain]',
    back: ['all', 'main', 'parse<int>(char&)', 'read', 'print'],
    isSearching: true,
    found: ['print'],
    share: '1 match, 30.00 %',
    match: '300 ns, 30.00 % · 1 call · print [libprint]',
  })
})
