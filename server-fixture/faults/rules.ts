/** What a fixture can be told to do wrong. */
import { type Code, codeFromName, codeNumbers } from '../../src/core/code.ts'
import { methods } from '../../src/schema/methods.ts'

/** What goes wrong. */
export type Fault =
  /** The work begins later. */
  | { readonly kind: 'delay'; readonly ms: number; readonly jitterMs?: number }
  /** An error of the service, before the work. Of an operation in a frame: for that one alone. */
  | { readonly kind: 'status'; readonly code: Code; readonly retryAfterMs?: number; readonly retryable?: boolean }
  /** What a proxy answers: a status and a page. HTTP only. */
  | { readonly kind: 'http_status'; readonly status: number; readonly retryAfterSeconds?: number }
  /** RST_STREAM with this code, before the work or after it. */
  | { readonly kind: 'reset'; readonly code?: number; readonly after?: boolean }
  /** The work is done, then the stream is reset: the answer is lost. */
  | { readonly kind: 'lost_answer' }
  /** Never answers. */
  | { readonly kind: 'silence' }
  /** The answer breaks off in the middle. */
  | { readonly kind: 'truncate' }
  /** One byte of the answer is another one. */
  | { readonly kind: 'corrupt' }
  /** The answer says that it is compressed, and is not. */
  | { readonly kind: 'bad_gzip' }
  /** The answer comes byte by byte. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** The stream is refused before anything is read. */
  | { readonly kind: 'refuse' }
  /**
   * The connection is given up: in one step, with this stream as the last that counts or (`below`) as one that does not;
   * or in two, as a server that drains does it.
   */
  | { readonly kind: 'goaway'; readonly steps: 1 | 2; readonly last?: 'at' | 'below' }
  /** From now on the connection takes so many streams at a time. */
  | { readonly kind: 'stream_limit'; readonly streams: number }

/** When something goes wrong. */
export interface FaultRule {
  /** Names of RPCs (`StoreBlob`), also as operations in batches and frames; `*` = every one. */
  readonly rpc: string | readonly string[]
  readonly fault: Fault
  /**
   * Of so many calls, from 0 to 1.
   * @default 1
   */
  readonly probability?: number
  /**
   * The first so many calls are spared.
   * @default 0
   */
  readonly after?: number
  /**
   * No more than so many times.
   * @default Infinity
   */
  readonly count?: number
}

/** What a file of faults holds. */
export interface FaultScript {
  /**
   * The same seed and the same calls give the same faults.
   * @default 1
   */
  readonly seed?: number
  readonly rules: readonly FaultRule[]
}

/** A script that cannot be used; its message names the field and what is allowed. */
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

/** The fields of each fault; `?` = may be left out. */
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
  silence: {},
  truncate: {},
  corrupt: {},
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
      throw new FaultScriptError(`${where}.${name}: there is no such field; there are ${known.join(', ')}`)
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

/** One rule. @throws FaultScriptError naming the field and what is allowed */
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
    throw new FaultScriptError(`is not JSON: ${(error as Error).message}`)
  }
  if (typeof script !== 'object' || script === null || !Array.isArray(script.rules)) {
    throw new FaultScriptError('must be an object with rules, a list')
  }
  checkFields('script', script, { 'seed?': number(0), rules: () => undefined })
  script.rules.forEach((rule, index) => {
    checkRule(rule, `rules[${index}]`)
  })
  return script
}
