/** Checks the options of `startServer`: a misspelled one would otherwise be a server with other data, or without rights. */
import { checkKeys, checkObject, numberProblem, show } from '../src/core/check-options.ts'
import { invalidArgument } from '../src/core/error.ts'
import { defaultLimits } from '../src/schema/default-limits.ts'
import { checkGrants } from './auth.ts'
import type { ServerOptions } from './server-options.ts'
import { defaultWatchBounds } from './service/watch/watch-bounds.ts'

/** @throws BlobwireError `invalid_argument`; Error for a grant */
type Check = (name: string, value: unknown) => void

const must =
  (words: string, isRight: (value: unknown) => boolean): Check =>
  (name, value) => {
    if (!isRight(value)) throw invalidArgument(name, `must be ${words}, not ${show(value)}`)
  }

const numberOf =
  (rule: Parameters<typeof numberProblem>[1]): Check =>
  (name, value) => {
    const problem = numberProblem(value, rule)
    if (problem !== undefined) throw invalidArgument(name, problem)
  }

const text = must('a string that is not empty', (value) => typeof value === 'string' && value !== '')
const flag = must('true or false', (value) => typeof value === 'boolean')
const callback = must('a function', (value) => typeof value === 'function')
const texts = must(
  'a list of strings',
  (value) => Array.isArray(value) && value.every((item) => typeof item === 'string')
)
const port = numberOf({ least: 0, most: 65_535, integer: true })
const positive = numberOf({ above: 0 })
const amount = numberOf({ least: 0 })
const anything: Check = () => undefined

/** An object with these keys alone. */
const objectOf =
  (checks: Readonly<Record<string, Check>>): Check =>
  (name, value) => {
    checkKeys(name, checkObject(name, value as object), Object.keys(checks))
    checkEach(`${name}.`, value as object, checks)
  }

const isStore = (value: unknown) =>
  typeof value === 'string'
    ? ['memory', 'git', 'postgres'].includes(value)
    : typeof (value as { readonly createRepository?: unknown } | null)?.createRepository === 'function'

const allPositive = (defaults: object) =>
  objectOf(Object.fromEntries(Object.keys(defaults).map((key) => [key, positive])))

const checks: Readonly<Record<keyof ServerOptions, Check>> = {
  store: must("'memory', 'git', 'postgres' or a store", isStore),
  data: text,
  database: must("a list of URLs, or ['embedded']", (value) => Array.isArray(value) && value.length > 0),
  databasePassword: callback,
  gitStore: objectOf({ housekeeping: flag, gracePeriodHours: amount }),
  host: text,
  httpPort: port,
  grpcPort: port,
  adminPort: port,
  adminHost: text,
  minFreeBytes: amount,
  gitCache: text,
  maxGitProcesses: positive,
  maxPushBytes: positive,
  gitTimeoutMs: positive,
  grants: (name, value) => checkGrants(value, name),
  tls: objectOf({ cert: anything, key: anything, ca: anything }),
  cors: objectOf({ origins: texts }),
  hosts: texts,
  limits: allPositive(defaultLimits),
  watches: allPositive(defaultWatchBounds),
  headersTimeoutMs: positive,
  bodyTimeoutMs: positive,
  idleTimeoutMs: positive,
  callTimeoutMs: positive,
  transferDrainMs: amount,
  decorate: callback,
  faults: must('Faults of blobwire/testing', (value) => typeof value === 'object' && value !== null),
  onEffect: callback,
  accessLog: text,
  accessLogDetail: must("'frames' or 'operations'", (value) => value === 'frames' || value === 'operations'),
  tracing: anything,
  webhooks: anything,
  log: callback,
  primary: anything
}

function checkEach(where: string, options: object, checks: Readonly<Record<string, Check>>): void {
  for (const [name, value] of Object.entries(options)) if (value !== undefined) checks[name]?.(`${where}${name}`, value)
}

/** @throws BlobwireError `invalid_argument` that names the option and says what is allowed; Error for a grant */
export function checkServerOptions(options: ServerOptions): void {
  const { store, data, database } = checkObject('options', options)
  // Internal options are no suggestions.
  const { decorate: _decorate, primary: _primary, ...known } = options
  const names = Object.keys(checks).filter((name) => name !== 'decorate' && name !== 'primary')
  checkKeys('', known, names)
  checkEach('', options, checks)
  if (store === 'git' && data === undefined) throw invalidArgument('data', "is required with store: 'git'")
  if (store === 'postgres' && database === undefined)
    throw invalidArgument('database', "is required with store: 'postgres'")
  if (store === undefined && (data ?? database) !== undefined)
    throw invalidArgument(
      'store',
      `must be 'git' or 'postgres' where there is ${data === undefined ? 'a database' : 'data'}`
    )
}
