/**
 * Names, paths and arguments come from the target or from files that nobody vouches for. What could steer a
 * terminal, reorder a line or hide in it is spelled out, by Unicode property: Cc (C0, DEL, C1), Cf (bidi
 * controls, zero-width characters, byte order mark, tags), Zl and Zp (line and paragraph separator),
 * Cs (half a surrogate pair, which no UTF-8 can carry) and DI (drawn as nothing: fillers, variation selectors, and
 * places that are kept free for more of the kind).
 */
const hazards = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}]/gu
const printableAscii = /^[\x20-\x7e]*$/

/**
 * Text that is safe to print on one line of a terminal: hazards become `\x1b`, `\u202e` or `\u{e0001}`. A backslash
 * stays as it is, so the result is for reading, not for parsing back.
 */
export function escapeText(text: string): string {
  return printableAscii.test(text) ? text : text.replace(hazards, escapeCharacter)
}

/** `'TEXT'`, escaped: how a message quotes what it was given. */
export function quoteText(text: string): string {
  return `'${escapeText(text)}'`
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0)!
  const digits = code.toString(16)
  if (code < 0x100) return `\\x${digits.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`
}
