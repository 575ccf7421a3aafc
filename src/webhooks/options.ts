/** Options of a sender of webhooks: their defaults and checks. */
import { secureContext } from '../connection/dial/tls.ts'
import { checkKeys, checkObject, show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import { resolveConnection, resolveRows } from '../options/resolve.ts'
import type { Rows } from '../options/row.ts'
import { tlsRows } from '../options/rows/connection.ts'
import type {
  BreakerOptions,
  ConnectionOptions,
  ResolvedBreakerOptions,
  ResolvedConnectionOptions,
  TlsOptions
} from '../options/types.ts'
import type { WebhookDestination } from './destination.ts'
import type { WebhookDeadLetter, WebhookDelivered } from './events.ts'
import { DestinationGuard, type WebhookGuardOptions } from './guard.ts'

/** The attempts of a delivery; see `WebhookSenderOptions.retry`. */
export interface WebhookRetryOptions {
  /**
   * Time before each further attempt, in milliseconds: as many attempts as there are times, and one. The specification
   * recommends times that reach over days; use an outbox with a file then.
   * @default [2000, 4000, 8000]
   */
  delaysMs?: readonly number[] | undefined
  /**
   * Share of the time by which it is longer at random, so that deliveries that failed together do not come back together.
   * @default 0.1
   */
  jitter?: number | undefined
  /**
   * Longest time that a receiver can ask for with `Retry-After`, in milliseconds.
   * @default 3600000
   */
  maxRetryAfterMs?: number | undefined
}

/** Where deliveries wait; see `WebhookSenderOptions.outbox`. */
export interface WebhookOutboxOptions {
  /**
   * SQLite file that holds the deliveries, made where it is missing. Several processes of one machine may share a file; it
   * must not be on a network file system. Without a file, deliveries are in memory and end with the process.
   * @default none
   */
  file?: string | undefined
  /**
   * Most deliveries that wait for one destination. Further ones become dead letters at once, reason `queue_full`, so that
   * a destination that is down takes no room from the others.
   * @default 10000
   */
  maxPending?: number | undefined
  /**
   * Most dead letters that are kept for `redeliver`; the oldest ones go first. With `onDeadLetter`, one of which the
   * application has not been told is kept in any case.
   * @default 10000
   */
  maxDeadLetters?: number | undefined
  /**
   * Size of the file above which `send` fails with `resource_exhausted`, reason `queue_full`, in bytes.
   * @default 1073741824
   */
  maxBytes?: number | undefined
  /**
   * Largest body of a webhook, in bytes.
   * @default 1048576
   */
  maxBodyBytes?: number | undefined
}

/** Options of `WebhookSender`. */
export interface WebhookSenderOptions {
  /**
   * The destinations; `addDestination` and `removeDestination` change them later.
   * @default []
   */
  destinations?: readonly WebhookDestination[] | undefined
  /** Where deliveries wait: in memory, or in a file that survives the process. */
  outbox?: WebhookOutboxOptions | undefined
  /**
   * Time for one attempt, from the look-up of the name to the status of the answer, in milliseconds.
   * @default 15000
   */
  timeoutMs?: number | undefined
  /**
   * Most attempts under way at one destination.
   * @default 8
   */
  concurrency?: number | undefined
  /**
   * The attempts of a delivery. An answer of 5xx, 408 or 429 and failures of the network are retried, at the earliest at
   * the time that `Retry-After` names; any other answer is final. `false` = one attempt.
   * @default { 'delaysMs': [2000, 4000, 8000], 'jitter': 0.1, 'maxRetryAfterMs': 3600000 }
   */
  retry?: WebhookRetryOptions | false | undefined
  /**
   * When the circuit breaker of a destination opens. Deliveries then wait in the outbox, without using up attempts, until
   * one that is let through as a probe arrives. `false` = there is no circuit breaker.
   * @default { 'failures': 5, 'ratio': 0.5, 'minimumAttempts': 20, 'windowMs': 60000, 'firstOpenMs': 2000, 'openMs': 60000 }
   */
  breaker?: Omit<BreakerOptions, 'waitMs'> | false | undefined
  /**
   * Time from `send` after which a delivery becomes a dead letter, reason `webhook_expired`, in milliseconds: the bound of
   * the time for which a circuit breaker or a receiver can hold deliveries back.
   * @default 86400000
   */
  expiresAfterMs?: number | undefined
  /**
   * Most redirects (307 and 308) that an attempt follows, each guarded as its destination is. The specification advises
   * against any: whoever moves should give the new URL.
   * @default 0
   */
  redirects?: number | undefined
  /**
   * Connections to each destination: HTTP/2 where TLS negotiates it, HTTP/1.1 otherwise.
   * @default { 'maxConnections': 2, 'idleTimeoutMs': 15000, 'connectTimeoutMs': 5000, 'tlsHandshakeTimeoutMs': 5000,
   * 'maxHeaderBytes': 16384 } and the defaults of a client
   */
  connection?: ConnectionOptions | undefined
  /** TLS of `https://` destinations: the trusted authorities and the sender's own certificate. */
  tls?: TlsOptions | undefined
  /** Which destinations the sender may connect to. By default, public addresses over `https://`. */
  guard?: WebhookGuardOptions | undefined
  /**
   * Value of the header `user-agent`.
   * @default 'blobwire-webhooks'
   */
  userAgent?: string | undefined
  /** Called for each delivery that arrived. Its failures are passed over, those of a promise too. */
  onDelivered?: ((delivered: WebhookDelivered) => void) | undefined
  /**
   * Called for each delivery that is given up, at least once: again where it threw or the process ended meanwhile.
   */
  onDeadLetter?: ((letter: WebhookDeadLetter) => void | Promise<void>) | undefined
}

/** With every default in place. */
export interface ResolvedSenderOptions {
  readonly outbox: ResolvedOutboxOptions
  readonly timeoutMs: number
  readonly concurrency: number
  readonly retry: { readonly delaysMs: readonly number[]; readonly jitter: number; readonly maxRetryAfterMs: number }
  readonly breaker: ResolvedBreakerOptions | false
  readonly expiresAfterMs: number
  readonly redirects: number
  readonly connection: ResolvedConnectionOptions
  readonly tls: TlsOptions
  readonly guard: DestinationGuard
  readonly userAgent: string
  readonly onDelivered: WebhookSenderOptions['onDelivered']
  readonly onDeadLetter: WebhookSenderOptions['onDeadLetter']
}

export interface ResolvedOutboxOptions {
  readonly file: string | undefined
  readonly maxPending: number
  readonly maxDeadLetters: number
  readonly maxBytes: number
  readonly maxBodyBytes: number
}

const count = { kind: 'number', least: 1, integer: true } as const

const outboxRows = {
  file: { kind: 'text', must: 'the path of a file', pattern: '.' },
  maxPending: { ...count, default: 10_000 },
  maxDeadLetters: { ...count, default: 10_000, least: 0 },
  maxBytes: { kind: 'number', default: 1024 ** 3, least: 1024 ** 2 },
  maxBodyBytes: { ...count, default: 1024 ** 2 }
} as const satisfies Rows

/** The options that the rows of the table can tell. */
const rows = {
  outbox: { kind: 'group', type: 'WebhookOutboxOptions', rows: outboxRows },
  timeoutMs: { kind: 'number', default: 15_000, least: 1 },
  concurrency: { ...count, default: 8, most: 1000 },
  expiresAfterMs: { kind: 'number', default: 86_400_000, least: 1 },
  redirects: { kind: 'number', default: 0, least: 0, most: 5, integer: true },
  userAgent: {
    ...{ kind: 'text', default: 'blobwire-webhooks', must: 'printable ASCII' },
    pattern: '^[\\x21-\\x7e][\\x20-\\x7e]{0,200}$'
  },
  onDelivered: { kind: 'code', type: '', callable: true },
  onDeadLetter: { kind: 'code', type: '', callable: true }
} as const satisfies Rows

const retryRows = {
  jitter: { kind: 'number', default: 0.1, least: 0, most: 1 },
  maxRetryAfterMs: { kind: 'number', default: 3_600_000, least: 0 }
} as const satisfies Rows

const breakerRows = {
  failures: { ...count, default: 5 },
  ratio: { kind: 'number', default: 0.5, least: 0.01, most: 1 },
  minimumAttempts: { ...count, default: 20 },
  windowMs: { kind: 'number', default: 60_000, least: 1 },
  firstOpenMs: { kind: 'number', default: 2000, least: 1 },
  openMs: { kind: 'number', default: 60_000, least: 1 }
} as const satisfies Rows

const connectionDefaults: ConnectionOptions = {
  maxConnections: 2,
  idleTimeoutMs: 15_000,
  connectTimeoutMs: 5000,
  tlsHandshakeTimeoutMs: 5000,
  maxHeaderBytes: 16 * 1024
}

const defaultDelaysMs = [2000, 4000, 8000]
const ownNames = ['destinations', 'retry', 'breaker', 'connection', 'tls', 'guard']

/** @throws BlobwireError `invalid_argument` naming the options, their values and the allowed values */
export function resolveSender(given: WebhookSenderOptions | undefined): ResolvedSenderOptions {
  const options = checkObject('options', given)
  checkKeys('', options, [...Object.keys(rows), ...ownNames])
  const { destinations: _later, retry, breaker, connection, tls, guard, ...plain } = options
  const connections = resolveConnection({ ...connectionDefaults, ...checkObject('connection', connection) })
  const secured = resolveRows('tls', tls, tlsRows) as TlsOptions
  secureContext(secured)
  return {
    ...(resolveRows('', plain, rows) as Omit<
      ResolvedSenderOptions,
      'retry' | 'breaker' | 'connection' | 'tls' | 'guard'
    >),
    retry: resolveRetry(retry),
    breaker: breaker === false ? false : resolveBreaker(breaker),
    connection: connections,
    tls: secured,
    guard: new DestinationGuard(guard, connections.proxy)
  }
}

function resolveBreaker(given: WebhookSenderOptions['breaker']): ResolvedBreakerOptions {
  return { ...(resolveRows('breaker', given, breakerRows) as ResolvedBreakerOptions), waitMs: 0 }
}

function resolveRetry(given: WebhookRetryOptions | false | undefined): ResolvedSenderOptions['retry'] {
  const options = given === false ? { delaysMs: [] } : checkObject('retry', given)
  checkKeys('retry', options, ['delaysMs', ...Object.keys(retryRows)])
  const { delaysMs = defaultDelaysMs, ...numbers } = options
  const isList = Array.isArray(delaysMs) && delaysMs.length <= 100
  if (!isList || !delaysMs.every((delay) => Number.isFinite(delay) && delay >= 0)) {
    throw invalidArgument('retry.delaysMs', `must be a list of at most 100 numbers of 0 or more, not ${show(delaysMs)}`)
  }
  return { delaysMs, ...(resolveRows('retry', numbers, retryRows) as { jitter: number; maxRetryAfterMs: number }) }
}
