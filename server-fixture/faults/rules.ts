/** The faults that the fixture can be told to make, and the checks of scripts. */
import { type Code, codeFromName, codeNumbers } from '../../src/core/code.ts'
import { methods } from '../../src/schema/methods.ts'

/** One fault. */
export type Fault =
  /** The work starts later. */
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs?: number }
  /** An error of the service, before the work. In a batch or frame, it fails the named operation alone. */
  | { readonly kind: 'status'; readonly code: Code; readonly retryAfterMs?: number; readonly retryable?: boolean }
  /** The answer of a proxy: a status and an HTML page. */
  | { readonly kind: 'http_status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** RST_STREAM with this code, before the work or after it. */
  | { readonly kind: 'reset'; readonly code?: number; readonly after?: boolean }
  /** The work is done, then the stream is reset: the answer is lost. */
  | { readonly kind: 'lost_answer' }
  /** No answer, and no work; of UploadBlob and DownloadBlob, none after so many bytes. */
  | { readonly kind: 'silence'; readonly afterBytes?: number }
  /** RST_STREAM once so many bytes of an UploadBlob or DownloadBlob have passed, which the receiver has. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly jitterBytes?: number }
  /** The answer breaks off in the middle. */
  | { readonly kind: 'truncate' }
  /** One bit of the answer is flipped; of an UploadBlob or DownloadBlob, one of the content after so many bytes. */
  | { readonly kind: 'corrupt'; readonly afterBytes?: number }
  /** The answer claims to be compressed, and is not. */
  | { readonly kind: 'bad_gzip' }
  /** The answer arrives byte by byte. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** REFUSED_STREAM before anything is read. */
  | { readonly kind: 'refuse' }
  /**
   * GOAWAY: in one step, whose last stream is this one (`at`) or the one before it (`below`), or in two steps, as a
   * draining server sends it.
   */
  | { readonly kind: 'goaway'; readonly steps: 1 | 2; readonly last?: 'at' | 'below' }
  /** From now on the connection allows this many concurrent streams. */
  | { readonly kind: 'stream_limit'; readonly streams: number }

/** When a fault fires. */
export interface FaultRule {
  /** Names of RPCs (`StoreBlob`), alone or as operations of batches and frames; `*` = all. */
  readonly rpc: string | readonly string[]
  readonly fault: Fault
  /**
   * Share of the matching calls, from 0 to 1.
   * @default 1
   */
  readonly probability?: number
  /**
   * The rule skips this many matching calls first.
   * @default 0
   */
  readonly after?: number
  /**
   * The rule fires at most this often.
   * @default Infinity
   */
  readonly count?: number
}

/** The content of a file of faults. */
export interface FaultScript {
  /**
   * The same seed and the same calls give the same faults.
   * @default 1
   */
  readonly seed?: number
  readonly rules: readonly FaultRule[]
}

/** A script that cannot be used; its message names the field and the allowed values. */
export class FaultScriptError extends Error {}

type Check = (value: unknown) => string | undefined

const number =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value) =>
    typeof value === 'number' && value >= least && value <= most
      ? undefined
      : `must be a number from ${least}${most === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${most}`}`
const oneOf =
  (...allowed: unknown[]): Check =>
  (value) =>
    allowed.includes(value) ? undefined : `must be ${allowed.join(' or ')}`

/** The fields of each fault; `?` = optional. */
const faultFields: Readonly<Record<Fault['kind'], Readonly<Record<string, Check>>>> = {
  delay: { ms: number(0), 'jitterMs?': number(0) },
  status: {
    code: (value) => (codeFromName(value) ? undefined : `must be one of ${Object.keys(codeNumbers).join(', ')}`),
    'retryAfterMs?': number(0),
    'retryable?': oneOf(true, false)
  },
  http_status: { status: number(300, 599), 'retryAfterSeconds?': number(0) },
  reset: { 'code?': number(0, 13), 'after?': oneOf(true, false) },
  lost_answer: {},
  silence: { 'afterBytes?': number(0) },
  cut: { afterBytes: number(0), 'jitterBytes?': number(0) },
  truncate: {},
  corrupt: { 'afterBytes?': number(0) },
  bad_gzip: {},
  drip: { everyMs: number(0) },
  refuse: {},
  goaway: { steps: oneOf(1, 2), 'last?': oneOf('at', 'below') },
  stream_limit: { streams: number(0, 2 ** 31 - 1) }
}

const ruleFields: Readonly<Record<string, Check>> = {
  rpc: (value) => rpcProblem(value),
  fault: (value) => (typeof value === 'object' && value !== null ? undefined : 'must be an object'),
  'probability?': number(0, 1),
  'after?': number(0),
  'count?': number(0)
}

function rpcProblem(value: unknown): string | undefined {
  const names = Object.values(methods).map(({ name }) => name)
  const given = Array.isArray(value) ? value : [value]
  const wrong = given.find((name) => name !== '*' && !names.includes(name))
  if (given.length > 0 && wrong === undefined) return undefined
  return `must be *, or names of RPCs: ${names.join(', ')}`
}

function checkFields(where: string, value: object, fields: Readonly<Record<string, Check>>): void {
  const known = Object.keys(fields).map((field) => field.replace('?', ''))
  for (const name of Object.keys(value)) {
    if (name !== 'kind' && !known.includes(name)) {
      throw new FaultScriptError(`${where}.${name}: unknown field; expected one of ${known.join(', ')}`)
    }
  }
  for (const [field, check] of Object.entries(fields)) {
    const name = field.replace('?', '')
    const found = (value as Record<string, unknown>)[name]
    if (found === undefined && field.endsWith('?')) continue
    const problem = check(found)
    if (problem !== undefined) throw new FaultScriptError(`${where}.${name}: ${problem}, not ${JSON.stringify(found)}`)
  }
}

/** Checks one rule. @throws FaultScriptError that names the field and the allowed values */
export function checkRule(rule: unknown, where = 'rule'): FaultRule {
  if (typeof rule !== 'object' || rule === null) throw new FaultScriptError(`${where}: must be an object`)
  checkFields(where, rule, ruleFields)
  const { fault } = rule as FaultRule
  const fields = Object.hasOwn(faultFields, fault.kind) ? faultFields[fault.kind] : undefined
  if (fields === undefined) {
    throw new FaultScriptError(`${where}.fault.kind: must be one of ${Object.keys(faultFields).join(', ')}`)
  }
  checkFields(`${where}.fault`, fault, fields)
  return rule as FaultRule
}

/** Reads a script. @throws FaultScriptError */
export function readFaultScript(text: string): FaultScript {
  let script: FaultScript
  try {
    script = JSON.parse(text) as FaultScript
  } catch (error) {
    throw new FaultScriptError(`must be JSON: ${(error as Error).message}`)
  }
  if (typeof script !== 'object' || script === null || !Array.isArray(script.rules)) {
    throw new FaultScriptError('must be an object with a list of rules')
  }
  checkFields('script', script, { 'seed?': number(0), rules: () => undefined })
  script.rules.forEach((rule, index) => {
    checkRule(rule, `rules[${index}]`)
  })
  return script
}
