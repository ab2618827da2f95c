import { escapeText } from './escape.ts'

/**
 * A JSON string that means `text` exactly, lone surrogates included, and that is safe on a terminal: what
 * `escapeText` would spell out stands there as `\uXXXX`.
 */
export function jsonString(text: string): string {
  // JSON.stringify escapes quotes, backslashes, C0 controls and lone surrogates; the rest of the hazards is ours.
  const json = JSON.stringify(text)
  if (escapeText(json) === json) return json
  return Array.from(json, (character) =>
    escapeText(character) === character ? character : unicodeEscape(character),
  ).join('')
}

function unicodeEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, index) => character.charCodeAt(index))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
