import type { Build } from '../support/build.ts'
import type { Case } from './case.ts'

const recursionCalls = { fibonacci: 177, factorial: 12, ackermann: 27, main: 1 }
const allCalls = /^utrace: 217 calls, /

/** One program, put together in a certain way. */
const image = (name: string, build: Partial<Build>, rest: Partial<Case> = {}): Case => ({
  name,
  build: { source: 'recursion.c', flags: ['-O2'], ...build },
  calls: recursionCalls,
  ...rest,
})

/** Without symbols of its own: nothing to compare with, but every call is known. */
const stripped = (name: string, build: Partial<Build>, rest: Partial<Case> = {}): Case =>
  image(name, { linkFlags: ['-s'], plainOnly: true, ...build }, { tree: 'none', ...rest })

const byAddress: Partial<Case> = {
  options: ['-f', 'recursion+0x*'],
  calls: {},
  functionsTraced: 4,
  summary: allCalls,
}

const segments = (name: string, build: Partial<Build>, calls: Case['calls'] = {}): Case => ({
  name: `several executable segments, and symbols that are no code: ${name}`,
  build: { source: 'segments.c', flags: ['-O2'], ...build },
  tree: 'none',
  calls: {
    usual: 4,
    beyond: 4,
    apart: 8,
    empty_symbol: 4,
    labelled: 4,
    main: 1,
    bare_table: 0,
    in_data: 0,
    ...calls,
  },
})

const freestanding = (name: string, flags: readonly string[]): Case => ({
  name: `_start in C, no C library: ${name}`,
  build: {
    source: 'freestanding.c',
    flags: ['-O2', '-nostdlib', '-ffreestanding', '-fno-stack-protector', ...flags],
    plainOnly: true,
  },
  tree: 'none',
  calls: { power: 16, print: 2, call_kernel: 3 },
})

const splitOff = 'objcopy --only-keep-debug recursion recursion.debug'
const farAway = ['-Wl,--section-start=.text_apart=0x10000000', '-Wl,--section-start=.text_beyond=0x30000000']

/** Files without symbols, and layouts that linkers, distributions and packers make. */
export const binaryCases: readonly Case[] = [
  stripped('stripped: functions by address', {}, byAddress),
  stripped(
    'stripped, static: functions by address',
    { linkFlags: ['-s', '-static'] },
    {
      options: ['-f', 'recursion+0x*'],
      calls: {},
      functionsTraced: 500,
    },
  ),
  stripped(
    'stripped, non-PIE, -fcf-protection: functions by address',
    {
      flags: ['-O2', '-fcf-protection=full', '-no-pie', '-fno-pie'],
    },
    byAddress,
  ),
  stripped(
    'stripped, by clang and lld: functions by address',
    {
      compiler: 'clang',
      linkFlags: ['-s', '-fuse-ld=lld'],
    },
    byAddress,
  ),
  stripped(
    'stripped: an address in -f, and one left out',
    {},
    {
      options: ['-f', '*+0x*,printf', '--no-function', '*+0x*'],
      calls: { printf: 1 },
      summary: /^utrace: 1 call, /,
    },
  ),
  stripped('debug file by its link', {
    linkFlags: [],
    flags: ['-O2', '-g'],
    after: [splitOff, 'strip --strip-all recursion', 'objcopy --add-gnu-debuglink=recursion.debug recursion'],
  }),
  stripped('debug file by its link, in .debug, without build ids', {
    linkFlags: ['-Wl,--build-id=none'],
    flags: ['-O2', '-g'],
    after: [
      'mkdir -p .debug',
      splitOff,
      'strip --strip-all recursion',
      'objcopy --add-gnu-debuglink=recursion.debug recursion',
      'mv recursion.debug .debug/',
    ],
  }),
  stripped('symbols in .gnu_debugdata', {
    linkFlags: [],
    after: [
      splitOff,
      'objcopy --strip-debug recursion.debug mini',
      'xz mini',
      'strip --strip-all recursion',
      'objcopy --add-section .gnu_debugdata=mini.xz recursion',
      'rm recursion.debug mini.xz',
    ],
  }),
  freestanding('non-PIE', ['-static', '-no-pie', '-fno-pie']),
  freestanding('static-pie', ['-static-pie', '-fPIE']),
  freestanding('PIE', ['-pie', '-fPIE']),
  image('4 KB pages', { linkFlags: ['-Wl,-z,max-page-size=4096', '-Wl,-z,common-page-size=4096'] }),
  image('4 KB pages, lld', { linkFlags: ['-fuse-ld=lld', '-Wl,-z,max-page-size=4096'] }),
  image('64 KB pages', { linkFlags: ['-Wl,-z,max-page-size=65536'] }),
  image('2 MB pages, text and data in one segment', {
    linkFlags: ['-Wl,-z,max-page-size=2097152', '-Wl,-z,noseparate-code'],
  }),
  image('lld, code apart in the file', { linkFlags: ['-fuse-ld=lld', '-Wl,-z,separate-loadable-segments'] }),
  image('mold, read-only data and code together', { linkFlags: ['-fuse-ld=mold', '-Wl,--no-rosegment'] }),
  image('PIE that is linked for an address', { linkFlags: ['-Wl,-Ttext-segment=0x40000000'] }),
  image('PIE that is linked for an address, lld', {
    linkFlags: ['-fuse-ld=lld', '-Wl,--image-base=0x7000000'],
  }),
  image('non-PIE at a high address', {
    flags: ['-O2', '-no-pie', '-fno-pie'],
    linkFlags: ['-Wl,-Ttext-segment=0x70000000'],
  }),
  image('musl, static-pie', { compiler: 'musl-gcc', flags: ['-O2', '-fPIE'], linkFlags: ['-static-pie'] }),
  stripped('musl, stripped: functions by address', { compiler: 'musl-gcc' }, byAddress),
  segments('as the linker puts them', {}),
  segments('non-PIE, far apart', { flags: ['-O2', '-no-pie', '-fno-pie'], linkFlags: farAway }),
  segments('lld', { linkFlags: ['-fuse-ld=lld'] }),
  // mold makes labels local, and nothing tells a local label of code from one of data.
  segments('mold', { linkFlags: ['-fuse-ld=mold'] }, { labelled: 0, printf$plt: 0 }),
  segments('static', { linkFlags: ['-static'] }),
]
