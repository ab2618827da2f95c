/**
 * Words of demangled C++ names that need not stand in the mangled name: keywords, built-in types, abbreviations of the
 * standard library, and what demanglers add (Itanium C++ ABI, 5.1).
 */
const unwritten = `
  __complex__ __float128 __int128 _Complex _Float16 _Imaginary alignof allocator anonymous arg auto
  basic_iostream basic_istream basic_ostream basic_string block_invoke bool char char16_t char32_t char8_t
  char_traits clone co_await const const_cast construction covariant decimal128 decimal32 decimal64
  decltype default delete double dynamic_cast enable_if explicit false float for function guard half init
  initializer int invocation iostream istream lambda list long name namespace new noexcept non nullptr
  nullptr_t object operator ostream parameter parm reference reinterpret_cast restrict return short signed
  sizeof static_cast std string structured template temporary this throw thunk TLS tls to transaction_safe
  true type typeid typeinfo typename unnamed unsigned variable virtual void volatile vtable VTT wchar_t
  wrapper
`
  .trim()
  .split(/\s+/)

/**
 * Parts of a glob that any mangled C++ name must hold whose demangled form it matches: parts of identifiers, which are
 * written out in both. Demangling costs microseconds, of 100,000 names half a second.
 */
export function mangledParts(pattern: string): readonly string[] {
  if (/[[\\]/.test(pattern)) return []
  const parts = pattern.match(/[A-Za-z_]\w+/g) ?? []
  return parts.filter((part) => !unwritten.some((word) => word.includes(part)))
}
