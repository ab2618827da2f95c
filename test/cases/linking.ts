import type { Case } from './case.ts'
import { program } from './matrix.ts'

const optimized = ['-O2', '-fno-builtin']
const libraryCalls = { strlen: 8, malloc: 4, memcpy: 4, abs: 4, free: 4 }
const libc = { strlen: 'libc.so.6', malloc: 'libc.so.6', memcpy: 'libc.so.6', free: 'libc.so.6' }

const link = (
  name: string,
  flags: readonly string[],
  linkFlags: readonly string[],
  rest: Partial<Case> = {},
): Case => ({
  name: `library calls, ${name}`,
  build: { source: 'library-calls.c', flags: [...optimized, ...flags], linkFlags },
  calls: libraryCalls,
  modules: libc,
  ...rest,
})
const image = (
  name: string,
  flags: readonly string[],
  linkFlags: readonly string[],
  rest: Partial<Case> = {},
): Case => ({
  name: `recursion, ${name}`,
  build: { source: 'recursion.c', flags: ['-O2', ...flags], linkFlags },
  calls: { fibonacci: 177 },
  ...rest,
})
const libraries = ['lib-a.c', 'lib-b.c']

/** How executables and libraries are put together. */
export const linkingCases: readonly Case[] = [
  link('lazy PLT', [], ['-Wl,-z,lazy']),
  link('-z now', [], ['-Wl,-z,now', '-Wl,-z,relro']),
  link('-fno-plt', ['-fno-plt'], []),
  link('non-PIE', ['-no-pie', '-fno-pie'], []),
  link('-fcf-protection with IBT PLT', ['-fcf-protection=full'], ['-Wl,-z,ibtplt']),
  link('lld', [], ['-fuse-ld=lld']),
  link('mold', [], ['-fuse-ld=mold']),
  link('clang', [], [], { build: { source: 'library-calls.c', compiler: 'clang', flags: optimized } }),
  link('stripped', [], ['-s'], {
    build: { source: 'library-calls.c', flags: optimized, linkFlags: ['-s'], plainOnly: true },
    tree: 'none',
  }),
  link('musl', [], [], {
    build: { source: 'library-calls.c', compiler: 'musl-gcc', flags: optimized },
    modules: {},
  }),
  image('non-PIE', ['-no-pie', '-fno-pie'], []),
  image('static', [], ['-static']),
  image('static-pie', ['-fPIE'], ['-static-pie']),
  image('musl', [], [], { build: { source: 'recursion.c', compiler: 'musl-gcc', flags: ['-O2'] } }),
  image('musl, static', [], [], {
    build: { source: 'recursion.c', compiler: 'musl-gcc', flags: ['-O2'], linkFlags: ['-static'] },
  }),
  image('lld: addresses unlike file offsets', [], ['-fuse-ld=lld']),
  image('mold', [], ['-fuse-ld=mold']),
  image('gold', [], ['-fuse-ld=gold']),
  image('text and data in one segment', [], ['-Wl,-z,noseparate-code']),
  image(
    'no frame pointers, sections apart',
    ['-fomit-frame-pointer', '-ffunction-sections'],
    ['-Wl,--gc-sections'],
  ),
  image('frame pointers', ['-fno-omit-frame-pointer', '-mno-omit-leaf-frame-pointer'], []),
  image('no unwind table', ['-fno-asynchronous-unwind-tables', '-fno-unwind-tables'], []),
  image(
    'stack protector and stack clash protection',
    ['-fstack-protector-all', '-fstack-clash-protection'],
    [],
  ),
  image('link-time optimization', [], [], {
    build: { source: 'recursion.c', flags: ['-O2', '-flto'], plainOnly: true },
    tree: 'none',
  }),
  image('patchable entries', ['-fpatchable-function-entry=5,2'], []),
  image('-pg', ['-pg'], [], {
    build: { source: 'recursion.c', flags: ['-O2', '-pg'], plainOnly: true },
    tree: 'none',
  }),
  {
    name: 'aliases at one address in a static glibc: `free`',
    build: { source: 'library-calls.c', flags: optimized, linkFlags: ['-static'] },
    options: ['-f', 'free,*libc_free,main,copy'],
    tree: 'none',
    calls: { copy: 4 },
  },
  ...program('library-calls.c', { build: { flags: ['-fno-builtin'] }, calls: libraryCalls, modules: libc }),
  ...program(
    'big-text.c',
    {
      name: 'megabytes of text in a PIE',
      build: { flags: ['-fno-toplevel-reorder'] },
      calls: { first: 1, middle: 1, last: 1, main: 1 },
    },
    /gcc/,
  ),
  ...program('libraries.c', {
    name: 'libraries that call each other and back, seen from the executable',
    build: { libraries },
    calls: { run: 2, callback: 4, a_twice: 2, b_direct: 2, main: 1 },
    modules: { a_twice: 'lib-a.so', b_direct: 'lib-b.so', run: 'libraries' },
  }),
  ...program('libraries.c', {
    name: 'libraries that call each other and back, nested',
    build: { libraries },
    options: ['--nest-lib', 'lib-*'],
    calls: { run: 2, callback: 4, a_twice: 2, a_inner: 4, b_apply: 4, b_inner: 6, b_direct: 2 },
    modules: { a_inner: 'lib-a.so', b_inner: 'lib-b.so' },
  }),
  ...program('dlopen.c', {
    name: 'a library loaded while the program runs calls back',
    build: { libraries: ['lib-b.c'], loadsByItself: true },
    args: ['{LIBRARIES}/lib-b.so'],
    calls: { use: 2, callback: 2 },
  }),
  ...program('dlopen-constructor.c', {
    name: 'a library whose constructor loads another one',
    build: { libraries: ['lib-loads.c', 'lib-b.c'], loadsByItself: true },
    args: ['{LIBRARIES}/lib-loads.so'],
    options: ['--nest-lib', 'lib-*'],
    calls: { use: 3, l_load: 3, l_inner: 6, b_direct: 6, b_inner: 6, l_seen: 3, l_unload: 3 },
  }),
  ...program('dlopen-in-turn.c', {
    name: 'two libraries after each other at the same address',
    build: { libraries: ['lib-one.c', 'lib-two.c'], loadsByItself: true },
    args: ['{LIBRARIES}/lib-one.so', '{LIBRARIES}/lib-two.so'],
    options: ['--nest-lib', 'lib-*'],
    calls: { use: 8, one_work: 8, one_inner: 16, two_work: 8, two_inner: 16 },
  }),
]
