/**
 * Hues in degrees, well apart; the first, warm one is for the module that appears first: the program itself.
 */
const moduleHues = [28, 205, 130, 275, 335, 55, 170, 240]
const enclosing = '#bdbdbd'

/** A colour per module, and a shade per function, the same in every graph of the same program. */
export function createPalette(): (label: string, module: string | undefined) => string {
  const hues = new Map<string, number>()
  return (label, module) => {
    if (module === undefined) return enclosing
    let hue = hues.get(module)
    if (hue === undefined) {
      hue = moduleHues[hues.size % moduleHues.length]!
      hues.set(module, hue)
    }
    const shade = hash(label)
    return hex(hue + (shade % 17) - 8, 0.62 + ((shade >> 5) % 16) / 80, 0.66 + ((shade >> 9) % 16) / 120)
  }
}

function hash(text: string): number {
  let value = 7
  for (let index = 0; index < text.length; index += 1)
    value = (value * 31 + text.charCodeAt(index)) & 0x7fffffff
  return value
}

/** Source: https://www.w3.org/TR/css-color-4/#hsl-to-rgb */
function hex(hue: number, saturation: number, lightness: number): string {
  const channel = (offset: number) => {
    const position = (offset + hue / 30 + 12) % 12
    const amplitude = saturation * Math.min(lightness, 1 - lightness)
    const value = lightness - amplitude * Math.max(-1, Math.min(position - 3, 9 - position, 1))
    return Math.round(value * 255)
      .toString(16)
      .padStart(2, '0')
  }
  return `#${channel(0)}${channel(8)}${channel(4)}`
}
