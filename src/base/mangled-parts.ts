/**
 * Words of demangled C++ names that need not stand in the mangled name: keywords, built-in types, abbreviations of the
 * standard library, and what demanglers add (Itanium C++ ABI, 5.1).
 */
const unwritten = [
  ...[
    'allocator',
    'basic_iostream',
    'basic_istream',
    'basic_ostream',
    'basic_string',
    'char_traits',
    'iostream',
  ],
  ...['istream', 'ostream', 'std', 'string'],
  ...[
    'bool',
    'char',
    'char16_t',
    'char32_t',
    'char8_t',
    'decimal128',
    'decimal32',
    'decimal64',
    'double',
    'float',
  ],
  ...[
    'half',
    'int',
    'long',
    'short',
    'signed',
    'unsigned',
    'void',
    'wchar_t',
    '__float128',
    '__int128',
    '_Float16',
  ],
  ...[
    'alignof',
    'auto',
    'co_await',
    'const',
    'const_cast',
    'decltype',
    'delete',
    'dynamic_cast',
    'explicit',
    'false',
  ],
  ...[
    'new',
    'noexcept',
    'nullptr',
    'nullptr_t',
    'operator',
    'reinterpret_cast',
    'restrict',
    'sizeof',
    'static_cast',
  ],
  ...['template', 'this', 'throw', 'transaction_safe', 'true', 'typeid', 'typename', 'volatile', '_Complex'],
  ...[
    '_Imaginary',
    '__complex__',

    'anonymous',
    'arg',
    'block_invoke',
    'clone',
    'construction',
    'covariant',
  ],
  ...[
    'default',
    'enable_if',
    'for',
    'function',
    'guard',
    'initializer',
    'invocation',
    'init',
    'lambda',
    'list',
  ],
  ...[
    'namespace',
    'non',
    'object',
    'parameter',
    'parm',
    'reference',
    'return',
    'structured',
    'temporary',
    'thunk',
  ],
  ...[
    'tls',
    'to',
    'type',
    'typeinfo',
    'unnamed',
    'variable',
    'virtual',
    'vtable',
    'wrapper',
    'VTT',
    'TLS',
    'name',
  ],
]

/**
 * Parts of a glob that any mangled C++ name must hold whose demangled form it matches: parts of identifiers, which are
 * written out in both. Demangling costs microseconds, of 100,000 names half a second.
 */
export function mangledParts(pattern: string): readonly string[] {
  if (/[[\\]/.test(pattern)) return []
  const parts = pattern.match(/[A-Za-z_]\w+/g) ?? []
  return parts.filter((part) => !unwritten.some((word) => word.includes(part)))
}
