import { buildProgram } from './build.ts'

/** A program with this many functions, which says `bench start` and waits for the end of its standard input. */
export function buildManyFunctions(functionCount: number): Promise<string> {
  const numbers = Array.from({ length: functionCount }, (_, index) => index)
  const text = [
    '#include "bench.h"',
    ...numbers.map((n) => `CALL long function_${n}(long x) { return x + ${n}; }`),
    `long (*const functions[])(long) = {${numbers.map((n) => `function_${n}`).join(',')}};`,
    'int main(void) { say_start(); while (getchar() != EOF); say_end(0, 0, 0); return 0; }',
  ].join('\n')
  return buildProgram({
    source: { name: `functions-${functionCount}.c`, text },
    flags: ['-O0', '-fcf-protection=none'],
  })
}
