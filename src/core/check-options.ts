import { invalidArgument } from './error.ts'

/** What a numeric option may be, and what it is by default. */
export interface NumberRule {
  readonly default: number
  readonly least: number
  readonly most?: number
  readonly integer?: boolean
}

/** Shows a value in an error, cut where it is long. */
export function show(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value)).slice(0, 80)
}

/** @throws BlobwireError `invalid_argument` for keys that no option has */
export function checkKeys(where: string, value: unknown, allowed: readonly string[]): void {
  if (typeof value !== 'object' || value === null) throw invalidArgument(where || 'options', 'must be an object')
  for (const key of Object.keys(value)) {
    if (!allowed.includes(key)) {
      const name = where ? `${where}.${key}` : key
      throw invalidArgument(name, `there is no such option; there are ${allowed.join(', ')}`)
    }
  }
}

/** A positive number of milliseconds or bytes. @throws BlobwireError `invalid_argument` */
export function checkNumber(name: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value
  throw invalidArgument(name, `must be a number above 0, not ${show(value)}`)
}

/** A group of numeric options with every default in place. @throws BlobwireError `invalid_argument` */
export function checkNumbers<Key extends string>(
  group: string,
  given: { readonly [Name in Key]?: number | undefined },
  rules: Readonly<Record<Key, NumberRule>>
): Record<Key, number> {
  checkKeys(group, given, Object.keys(rules))
  const resolved = {} as Record<Key, number>
  for (const key of Object.keys(rules) as Key[]) {
    const rule = rules[key]
    const value = given[key] ?? rule.default
    if (!isAllowed(value, rule)) {
      throw invalidArgument(`${group}.${key}`, `must be ${inWords(rule)}, not ${show(value)}`)
    }
    resolved[key] = value
  }
  return resolved
}

function isAllowed(value: unknown, { least, most = Number.MAX_VALUE, integer }: NumberRule): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value) || (integer && !Number.isInteger(value))) return false
  return value >= least && value <= most
}

function inWords({ least, most, integer }: NumberRule): string {
  const kind = integer ? 'an integer' : 'a number'
  return most === undefined ? `${kind} of ${least} or more` : `${kind} from ${least} to ${most}`
}
