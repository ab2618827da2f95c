import { createJsonLinesSink } from '../sink/jsonl.ts'
import { createCallgrindExport } from './callgrind.ts'
import { createChromeExport } from './chrome.ts'
import { createCsvExport } from './csv.ts'
import { createDotExport } from './dot.ts'
import type { ExportSink } from './export-sink.ts'
import { createFlameGraphExport, type FlameGraphOptions } from './flame-graph.ts'
import { createFoldedExport } from './folded.ts'
import { createMermaidExport } from './mermaid.ts'
import { createPerfettoExport } from './perfetto.ts'
import { createPprofExport } from './pprof.ts'
import { createSpeedscopeExport } from './speedscope.ts'

/** All that an exporter may want to know; each takes what concerns it. */
export type ExportOptions = FlameGraphOptions

/** Which of the options change what a format writes; others given to it are a mistake. */
export type ExportSetting = 'by' | 'merge' | 'sample-time' | 'icicle' | 'inverted'

export interface ExportFormat {
  /** What it is for. */
  readonly purpose: string
  /** Bytes that do not belong on a terminal. */
  readonly isBinary: boolean
  readonly settings: readonly ExportSetting[]
  create(options: ExportOptions): ExportSink
}

/** The one table of formats behind `utrace export`. */
export const exportFormats = {
  chrome: { purpose: 'Chrome trace events', isBinary: false, settings: [], create: createChromeExport },
  perfetto: { purpose: 'Perfetto', isBinary: true, settings: [], create: createPerfettoExport },
  speedscope: { purpose: 'speedscope', isBinary: false, settings: [], create: createSpeedscopeExport },
  folded: {
    purpose: 'folded stacks',
    isBinary: false,
    settings: ['by', 'merge', 'sample-time'],
    create: createFoldedExport,
  },
  'flame-graph': {
    purpose: 'interactive SVG',
    isBinary: false,
    settings: ['by', 'merge', 'sample-time', 'icicle', 'inverted'],
    create: createFlameGraphExport,
  },
  pprof: { purpose: 'pprof', isBinary: true, settings: [], create: createPprofExport },
  callgrind: { purpose: 'KCachegrind', isBinary: false, settings: [], create: createCallgrindExport },
  csv: { purpose: 'a row per call', isBinary: false, settings: [], create: createCsvExport },
  jsonl: {
    purpose: 'a JSON object per event',
    isBinary: false,
    settings: [],
    create: ({ write, facts }) => createJsonLinesSink({ write, clock: facts.clock }),
  },
  dot: { purpose: 'Graphviz', isBinary: false, settings: ['merge'], create: createDotExport },
  mermaid: { purpose: 'Mermaid', isBinary: false, settings: ['merge'], create: createMermaidExport },
} as const satisfies Readonly<Record<string, ExportFormat>>
