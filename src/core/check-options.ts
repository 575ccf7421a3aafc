/** Checks of option values. Each error names the option, its value and the allowed values. */
import { invalidArgument } from './error.ts'
import { nearestName } from './nearest-name.ts'
import { otherNameOf } from './other-names.ts'

/** The values that a numeric option may have. */
interface NumberRule {
  readonly least?: number
  /** Exclusive lower bound. */
  readonly above?: number
  readonly most?: number
  readonly integer?: boolean
}

/** Keys whose values are secrets, and texts that are: they must not end up in a log. */
const secretKeys = /secret|token|password|authorization|cookie|api-?key|^key$/i
const secretTexts = /^wh(sec|sk)_|PRIVATE KEY-----|^[a-z+]+:\/\/[^/]*:[^/]*@/i

const withoutSecrets = (key: string, value: unknown) =>
  secretKeys.test(key) || (typeof value === 'string' && secretTexts.test(value)) ? '…' : value

/** A value for an error message, shortened and without secrets; of classes and functions, only what they are. */
export function show(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (tag === 'Promise') return 'a Promise; is an await missing?'
  if (typeof value === 'object' && value !== null && tag !== 'Object' && tag !== 'Array') {
    return `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}`
  }
  return (typeof value === 'number' ? String(value) : jsonOf(value)).slice(0, 80)
}

/** Objects may refer to themselves. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, withoutSecrets) ?? String(value)
  } catch {
    return 'an object'
  }
}

/** An object of options; undefined = none given. @throws BlobwireError `invalid_argument` */
export function checkObject<Options extends object>(name: string, options: Options | undefined): Options {
  if (options === undefined) return {} as Options
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options
  throw invalidArgument(name, `must be an object of options, not ${show(options)}`)
}

/** @throws BlobwireError `invalid_argument` for an unknown key, which names the nearest known one */
export function checkKeys(where: string, value: object, allowed: readonly string[]): void {
  for (const key in value) {
    if (!allowed.includes(key))
      throw invalidArgument(where ? `${where}.${key}` : key, `unknown option; ${expectedKeys(key, allowed)}`)
  }
}

/** What was allowed instead of an unknown key; `aliases` are names that others use, and the right one. */
export function expectedKeys(
  key: string,
  allowed: readonly string[],
  aliases: Readonly<Record<string, string>> = {}
): string {
  const nearest = Object.hasOwn(aliases, key) ? aliases[key] : (otherNameOf(key, allowed) ?? nearestName(key, allowed))
  const hint = nearest === undefined ? '' : `did you mean ${nearest}? `
  return `${hint}expected one of ${allowed.join(', ')}`
}

/** A positive number of milliseconds or bytes. @throws BlobwireError `invalid_argument` */
export function checkNumber(name: string, value: unknown): number {
  const problem = numberProblem(value, { above: 0 })
  if (problem !== undefined) throw invalidArgument(name, problem)
  return value as number
}

/** Why the rule does not allow the value. */
export function numberProblem(value: unknown, rule: NumberRule): string | undefined {
  return isAllowed(value, rule) ? undefined : `must be ${inWords(rule)}, not ${show(value)}`
}

function isAllowed(value: unknown, rule: NumberRule): value is number {
  const { least = -Number.MAX_VALUE, above = Number.NEGATIVE_INFINITY, most = Number.MAX_VALUE, integer } = rule
  if (typeof value !== 'number' || !Number.isFinite(value) || (integer && !Number.isInteger(value))) return false
  return value >= least && value > above && value <= most
}

function inWords({ least, above, most, integer }: NumberRule): string {
  const kind = integer ? 'an integer' : 'a number'
  if (above !== undefined) return `${kind} above ${above}${most === undefined ? '' : `, up to ${most}`}`
  return most === undefined ? `${kind} of ${least} or more` : `${kind} from ${least} to ${most}`
}
