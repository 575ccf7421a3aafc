/** Durations and sizes in human units, as files and the environment have them: `30s`, `10MiB`. */

/** A duration: a whole number of milliseconds, seconds, minutes, hours or days. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** A size: a whole number of bytes, KiB, MiB or GiB. */
export type Size = `${number}${'B' | 'KiB' | 'MiB' | 'GiB'}`

const factors = {
  ms: { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 },
  bytes: { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
} as const

/** The unit in which an option counts. */
export type Unit = keyof typeof factors

/** The numbers that an option may have; see `NumberRow`. */
interface Bounds {
  readonly least?: number
  readonly above?: number
  readonly most?: number
}

/** A regular expression of the texts within bounds. */
export function quantityPattern(unit: Unit, { least = 0, above, most }: Bounds = {}): string {
  const choices = Object.entries(factors[unit]).map(([name, factor]) => {
    const from = above === undefined ? Math.ceil(least / factor) : Math.floor(above / factor) + 1
    const tooSmall = from > 0 ? `(?!0*(${upTo(from - 1)})${name}$)` : ''
    const digits = most === undefined ? '[0-9]{1,9}' : `0*(${upTo(Math.floor(most / factor))})`
    return `${tooSmall}${digits}${name}`
  })
  return `^(${choices.join('|')})$`
}

/** A regular expression of the integers from 0 to `most`. */
function upTo(most: number): string {
  const digits = String(most)
  const choices = digits.length > 1 ? [`[0-9]{1,${digits.length - 1}}`] : []
  for (const [index, digit] of [...digits].entries()) {
    const rest = digits.length - index - 1
    if (digit !== '0')
      choices.push(`${digits.slice(0, index)}[0-${Number(digit) - 1}]${rest > 0 ? `[0-9]{${rest}}` : ''}`)
  }
  return [...choices, digits].join('|')
}

/** An example, for messages. */
export const quantityExample = { ms: 'a duration such as 30s', bytes: 'a size such as 64KiB' } as const

/** The number in the option's unit; undefined = no such text. */
export function parseQuantity(text: string, unit: Unit): number | undefined {
  const [, digits, name = ''] = /^([0-9]{1,9})([A-Za-z]+)$/.exec(text) ?? []
  const factor = Object.hasOwn(factors[unit], name)
    ? (factors[unit] as Readonly<Record<string, number>>)[name]
    : undefined
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}

/** Other spellings of units, and the right ones. */
const otherUnits: Readonly<Record<string, string>> = {
  msec: 'ms',
  millis: 'ms',
  milliseconds: 'ms',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  min: 'm',
  mins: 'm',
  minute: 'm',
  minutes: 'm',
  hr: 'h',
  hour: 'h',
  hours: 'h',
  day: 'd',
  days: 'd',
  byte: 'B',
  bytes: 'B',
  k: 'KiB',
  kb: 'KiB',
  kib: 'KiB',
  mb: 'MiB',
  mib: 'MiB',
  gb: 'GiB',
  gib: 'GiB',
  g: 'GiB'
}

/** The text that was probably meant: `10 MB` is `10MiB`, `30 sec` is `30s`. */
export function meantQuantity(value: unknown, unit: Unit): string | undefined {
  const [, digits, name = ''] = (typeof value === 'string' && /^\s*(\d{1,9})\s*([a-z]+)\s*$/i.exec(value)) || []
  if (digits === undefined) return undefined
  const lower = name.toLowerCase()
  const known = Object.keys(factors[unit]).find((each) => each.toLowerCase() === lower) ?? otherUnits[lower]
  return known !== undefined && known in factors[unit] ? `${digits}${known}` : undefined
}
