import { escapeText } from '../base/escape.ts'

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/**
 * Text for XML content and quoted attributes. Control characters and half surrogate pairs, which XML cannot
 * hold, are spelled out as for a terminal; so are the two code points that XML 1.0 excludes besides.
 * Source: https://www.w3.org/TR/xml/#charsets
 */
export function xmlText(text: string): string {
  return escapeText(text)
    .replace(/[\ufffe\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`)
    .replace(/[&<>"]/g, (character) => entities[character]!)
}
