import { escapeText } from '../base/escape.ts'
import type { TracedFunction } from '../trace/call.ts'

/** What `make` gives for a function, made once per function id. */
export function perFunction<Text>(make: (fn: TracedFunction) => Text): (fn: TracedFunction) => Text {
  const made: (Text | undefined)[] = []
  return (fn) => {
    const known = made[fn.id]
    if (known !== undefined) return known
    const text = make(fn)
    made[fn.id] = text
    return text
  }
}

/** What may follow the argument list of a demangled C++ name. */
const afterArguments = /(?: (?:const|volatile|noexcept|&&?|\[clone [^\]]*\])|\[abi:[^\]]*\])+$/

/**
 * Whether a demangled name says its arguments, as C++ names do and C and Rust names do not. In a bare
 * `operator()` the parentheses are the operator's own.
 */
export function carriesArguments(name: string): boolean {
  const bare = name.replace(afterArguments, '')
  return bare.endsWith(')') && !/(?:^|[^\w$])operator\(\)$/.test(bare)
}

export interface FunctionNames {
  /** Safe to print; with its module if that was asked for: `f`, `ns::f(int)`, `f@libfoo.so.1`. */
  readonly name: string
  /** The name as a call: `f()`, `ns::f(int)`, `f@libfoo.so.1()`. */
  readonly call: string
}

export function functionNames(fn: TracedFunction, withModule: boolean): FunctionNames {
  const name = escapeText(withModule ? `${fn.name}@${fn.module}` : fn.name)
  return { name, call: carriesArguments(fn.name) ? name : `${name}()` }
}
