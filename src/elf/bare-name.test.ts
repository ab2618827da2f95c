import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bareName } from './bare-name.ts'

const NAMES: [demangled: string, bare: string][] = [
  ['main', 'main'],
  ['f.isra.0', 'f.isra.0'],
  ['ns::C<int>::f(int) const', 'ns::C<int>::f'],
  ['C::f() &&', 'C::f'],
  ['C::operator()(int)', 'C::operator()'],
  ['C::operator bool() const', 'C::operator bool'],
  [
    'C::operator std::vector<int, std::allocator<int> >() const',
    'C::operator std::vector<int, std::allocator<int> >',
  ],
  ['C::operator void (*)(int)() const', 'C::operator void (*)(int)'],
  ['C::operator char const*() const', 'C::operator char const*'],
  ['C::operator int&<int>()', 'C::operator int&<int>'],
  ['operator new(unsigned long)', 'operator new'],
  ['operator delete[](void*)', 'operator delete[]'],
  ['operator"" _km(long double)', 'operator"" _km'],
  ['C::operator[](int)', 'C::operator[]'],
  ['C::operator->() const', 'C::operator->'],
  ['operator<(C const&, C const&)', 'operator<'],
  ['operator<=>(C const&, C const&)', 'operator<=>'],
  ['C::operator,(int)', 'C::operator,'],
  ['bool operator< <int>(C<int> const&, C<int> const&)', 'operator< <int>'],
  [
    'std::basic_ostream<char, std::char_traits<char> >& std::operator<< <std::char_traits<char> >(std::basic_ostream<char, std::char_traits<char> >&, char const*)',
    'std::operator<< <std::char_traits<char> >',
  ],
  ['my_operator(int)', 'my_operator'],
  ['operators::f(int)', 'operators::f'],
  ['(anonymous namespace)::f(int)', '(anonymous namespace)::f'],
  ['void (anonymous namespace)::f<int>(int)', '(anonymous namespace)::f<int>'],
  ['ns::(anonymous namespace)::C::C()', 'ns::(anonymous namespace)::C::C'],
  ['main::{lambda(int)#1}::operator()(int) const', 'main::{lambda(int)#1}::operator()'],
  ['f(int)::{lambda()#1}::operator()() const', 'f(int)::{lambda()#1}::operator()'],
  ['C::f(int) const::{lambda()#1}::operator()() const', 'C::f(int) const::{lambda()#1}::operator()'],
  ['main::{lambda(int)#1}::_FUN(int)', 'main::{lambda(int)#1}::_FUN'],
  ['C::{unnamed type#1}::f()', 'C::{unnamed type#1}::f'],
  ['void f<int>(int)', 'f<int>'],
  ['unsigned long ns::f<unsigned char>(unsigned char)', 'ns::f<unsigned char>'],
  ['char const* f<int>(int)', 'f<int>'],
  ['std::enable_if<((sizeof (int))<(8)), int>::type f<int>(int)', 'f<int>'],
  ['std::enable_if<(3>2), int>::type f<int>(int)', 'f<int>'],
  ['decltype ((fp.a)+(fp0)) add<int, int>(int, int)', 'add<int, int>'],
  ['decltype(auto) f<int>(int)', 'f<int>'],
  ['auto f<int>(int)', 'f<int>'],
  ['void (*pick<int>(int))(char)', 'pick<int>'],
  ['void (C::*pick<int>(int))(char)', 'pick<int>'],
  ['int (&row<int>(int)) [3]', 'row<int>'],
  ['void call<&(C::operator<(int))>()', 'call<&(C::operator<(int))>'],
  ['void call<&C::operator> >(C*)', 'call<&C::operator> >'],
  ['f(void (*)(int), int (&) [3])', 'f'],
  ['std::function<void (int)>::operator()(int) const', 'std::function<void (int)>::operator()'],
  ['std::function<void (int)> make<int>(int)', 'make<int>'],
  ['std::__cxx11::to_string[abi:cxx11](int)', 'std::__cxx11::to_string[abi:cxx11]'],
  ['non-virtual thunk to X::f()', 'non-virtual thunk to X::f'],
  ['virtual thunk to X::f(int) const', 'virtual thunk to X::f'],
  ['f(int) [clone .isra.0]', 'f'],
  ['void f<int>(int) [clone .part.3] [clone .constprop.0]', 'f<int>'],
  ['vtable for X', 'vtable for X'],
  ['C::~C()', 'C::~C'],
  [
    '<alloc::string::String as core::fmt::Display>::fmt',
    '<alloc::string::String as core::fmt::Display>::fmt',
  ],
  [
    '<fn(i32) -> i32 as core::ops::FnOnce<(i32,)>>::call_once',
    '<fn(i32) -> i32 as core::ops::FnOnce<(i32,)>>::call_once',
  ],
  ['', ''],
  ['(', '('],
  ['()', '()'],
]

describe('bareName', () => {
  it.each(NAMES)('%s → %s', (demangled, bare) => {
    expect(bareName(demangled)).toBe(bare)
  })

  it('never throws and never empties a name', () => {
    const piece = fc.constantFrom(
      '(',
      ')',
      '<',
      '>',
      '[',
      ']',
      '{',
      '}',
      ' ',
      '::',
      'operator',
      '*',
      '&',
      '-',
      'f',
      'const',
      'decltype',
      ' [clone .x]',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          expect(bareName(text).length > 0).toBe(text.length > 0)
        },
      ),
    )
  })

  it.each([
    '(',
    ')',
    '<',
    '()',
    '(*',
    '(*f(',
    '[',
    ' ',
    'operator',
    'operator<',
    ' [clone .a]',
    'a ',
    '::',
    'decltype (',
    '() const',
  ])('takes linear time on 100 kB of %j', (piece) => {
    const text = `f${piece.repeat(Math.ceil(100_000 / piece.length))}`
    const start = performance.now()
    expect(bareName(text)).not.toBe('')
    expect(performance.now() - start).toBeLessThan(500)
  })
})
