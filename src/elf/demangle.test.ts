import { describe, expect, it } from 'vitest'
import { run } from '../../test/support/build-elf.ts'
import { demangle, demangleAll, isDemanglerMissing } from './demangle.ts'
import { fileSource } from './file-source.ts'
import { readFunctions } from './functions.ts'
import { parseElf } from './image.ts'

describe('demangle', () => {
  it.each([
    ['main', 'main'],
    ['memcpy.part.0', 'memcpy.part.0'],
    ['_start', '_start'],
    ['__libc_start_main', '__libc_start_main'],
    ['_ZN2ns1CIiE1fEi', 'ns::C<int>::f(int)'],
    ['_ZN2ns1CIiE1fEi.isra.0', 'ns::C<int>::f(int) [clone .isra.0]'],
    ['_Z3foov.part.3.constprop.0', 'foo() [clone .part.3] [clone .constprop.0]'],
    ['_Z3foov.cold', 'foo() [clone .cold]'],
    ['___Z3foov', 'foo()'],
    ['___Z3foov_block_invoke', '___Z3foov_block_invoke'],
    ['_ZThn8_N1X1fEv', 'non-virtual thunk to X::f()'],
    ['_Zbogus', '_Zbogus'],
    ['_Z', '_Z'],
    ['_', '_'],
    ['', ''],
    ['_ZN4core3fmt9Formatter3pad17h0123456789abcdefE', 'core::fmt::Formatter::pad'],
    ['_ZN4core3fmt9Formatter3pad17h0123456789abcdefE.llvm.77', 'core::fmt::Formatter::pad'],
    ['_RNvNtCs1234_7mycrate3foo3bar', 'mycrate::foo::bar'],
    ['_Rbogus', '_Rbogus'],
  ])('%s → %s', (symbol, name) => {
    expect(demangle(symbol)).toBe(name)
  })

  it('agrees with c++filt on the C++ names of node', () => {
    const source = fileSource(process.execPath)
    const symbols = readFunctions(parseElf(source, process.execPath)).map((found) => found.symbol)
    source.close()
    const sample = symbols.filter((symbol, index) => symbol.startsWith('_Z') && index % 40 === 0)
    expect(sample.length).toBeGreaterThan(1000)
    // c++filt spells the standard abbreviations out.
    const filtered = run('c++filt', ...sample).replaceAll(
      /std::basic_(ostream|istream|iostream)<char, std::char_traits<char> >/g,
      'std::$1',
    )
    expect(demangleAll(sample)).toEqual(filtered.trimEnd().split('\n'))
  })

  it('finds a demangler here', () => {
    expect(isDemanglerMissing()).toBe(false)
  })
})
