/** The error that every call fails with, and its typed details. */
import type { Code } from './code.ts'
import { inspectError, type ReportOf, reportOf } from './error-report.ts'
import { codeOfReason, type ErrorReason, ruleOf } from './reasons.ts'

/** Name of a transport. */
export type TransportName = 'json' | 'msgpack' | 'grpc'

/**
 * Whether the server has seen the call: `never` = the call did not reach the server; `maybe` = the client cannot tell;
 * `processed` = the server answered.
 */
export type Sent = 'never' | 'maybe' | 'processed'

const sentOrder: readonly Sent[] = ['never', 'maybe', 'processed']

/** The `sent` of two requests together. */
export function moreSent(one: Sent, other: Sent): Sent {
  return sentOrder.indexOf(one) > sentOrder.indexOf(other) ? one : other
}

/** A ref whose value a compare-and-swap did not expect. An all-zero oid stands for a ref that does not exist. */
export interface RefMismatch {
  name: string
  expectedOid: string
  foundOid: string
}

/** A path that was not as a guard expected it. All-zero oids stand for "nothing at that path". */
export interface PathMismatch {
  path: string
  /** Only where the path is not UTF-8: its bytes. */
  rawPath?: Uint8Array
  expectedOid: string
  foundOid: string
}

/**
 * A limit that was exceeded. `limit` is its name in the capabilities; `actual` is the size that was found, or 0 where
 * the receiver did not read to the end.
 */
export interface LimitExceeded {
  limit: string
  maximum: number
  actual: number
  /** Of the object that is too large for an answer. */
  oid?: string | undefined
}

/** An invalid field: its path, such as `entries[3].mode`, and a description of the allowed values. */
export interface FieldViolation {
  field: string
  description: string
}

/** Typed details of an error. Each property is present only where it applies. */
export interface ErrorDetails {
  refMismatches?: RefMismatch[]
  pathMismatches?: PathMismatch[]
  limit?: LimitExceeded
  violations?: FieldViolation[]
  /** Oids that the request refers to and that the repository does not contain. */
  missingOids?: string[]
  /** Time to wait before the same call is sent again, in milliseconds. */
  retryAfterMs?: number
}

/** Details that are always present with a reason. */
export interface ReasonDetails {
  ref_mismatch: { refMismatches: RefMismatch[] }
  path_mismatch: { pathMismatches: PathMismatch[] }
  missing_object: { missingOids: string[] }
}

/** The details of errors with this reason. */
export type DetailsOf<Reason extends ErrorReason> = Reason extends keyof ReasonDetails
  ? ErrorDetails & ReasonDetails[Reason]
  : ErrorDetails

/** Properties of a new `BlobwireError`. Every property but the message has a default. */
export interface BlobwireErrorInit {
  message: string
  /** Code; without it, the code of the reason, or else `unknown`. */
  code?: Code | undefined
  reason?: ErrorReason | undefined
  retryable?: boolean | undefined
  sent?: Sent | undefined
  attempts?: number | undefined
  transport?: TransportName | undefined
  /** Endpoint of the call; the message then begins with method and endpoint. */
  endpoint?: string | undefined
  /** Method that was called; the message then begins with it. */
  method?: string | undefined
  requestId?: string | undefined
  details?: ErrorDetails | undefined
  cause?: unknown
}

/** The beginning of a message: the method that was called, and where. */
function prefixOf({ method, endpoint }: Pick<BlobwireErrorInit, 'method' | 'endpoint'>): string {
  if (method === undefined) return ''
  return endpoint === undefined ? `${method}: ` : `${method} at ${endpoint}: `
}

/** A message that has its beginning already, as that of `toJSON`, keeps it. */
function withoutPrefix(message: string, prefix: string): string {
  return prefix !== '' && message.startsWith(prefix) ? message.slice(prefix.length) : message
}

/**
 * The error class of blobwire. Every call fails with it, and every invalid option throws it.
 *
 * @example
 * try { await repo.updateRefs([update]) } catch (error) {
 *   if (error instanceof BlobwireError && error.is('ref_mismatch')) console.log(error.details.refMismatches)
 * }
 */
export class BlobwireError extends Error {
  /** One of gRPC's sixteen codes in lower snake case. */
  readonly code: Code
  /** Stable name of the cause (`ref_mismatch`, `integrity`, …), or empty. docs/errors.md lists all reasons. */
  readonly reason: ErrorReason
  /** Whether the same call may succeed when it is sent again. */
  readonly retryable: boolean
  /** Whether the server has seen the call. */
  readonly sent: Sent
  /** Number of attempts; 0 = the client never sent the call. */
  readonly attempts: number
  /** Transport of the call; undefined where the call reached none. */
  readonly transport: TransportName | undefined
  /**
   * Endpoint of the last attempt, as the option `endpoint` names it; of a call that reached none of several, all of them.
   * Undefined where no call failed, such as for a wrong option of `createClient`.
   */
  readonly endpoint: string | undefined
  /** Method or function that was called, such as `commitFiles` or `blobOid`. Undefined for an option of `createClient`. */
  readonly method: string | undefined
  /** Request id in the server's log; undefined where the server gave none. */
  readonly requestId: string | undefined
  /** Typed details; an empty object where there are none. */
  readonly details: ErrorDetails

  /** The message without method and endpoint. */
  readonly #text: string

  static {
    // On the prototype, so that stacks begin with it.
    Object.defineProperty(BlobwireError.prototype, 'name', {
      value: 'BlobwireError',
      configurable: true,
      writable: true
    })
  }

  constructor(init: BlobwireErrorInit) {
    const prefix = prefixOf(init)
    const text = withoutPrefix(init.message, prefix)
    super(prefix + text, init.cause === undefined ? undefined : { cause: init.cause })
    this.#text = text
    this.code = init.code ?? codeOfReason(init.reason) ?? 'unknown'
    this.reason = init.reason ?? ''
    this.retryable = init.retryable ?? ruleOf(this.code, this.reason).retryable
    this.sent = init.sent ?? 'never'
    this.attempts = init.attempts ?? 0
    this.transport = init.transport
    this.endpoint = init.endpoint
    this.method = init.method
    this.requestId = init.requestId
    this.details = init.details ?? {}
  }

  /** Whether the error has this reason. Narrows `details` to the properties that such errors always have. */
  is<Reason extends ErrorReason>(
    reason: Reason
  ): this is BlobwireError & { readonly reason: Reason; readonly details: DetailsOf<Reason> } {
    return this.reason === reason
  }

  /** Returns a copy of the error with these properties replaced. */
  with(facts: Partial<BlobwireErrorInit>): BlobwireError {
    return this.withFrames(facts, this.stack ? framesOf(this) : '')
  }

  /**
   * The same with other frames in the stack; its own, which are text only when they are read, are not read.
   * @internal
   */
  withFrames(facts: Partial<BlobwireErrorInit>, frames: string): BlobwireError {
    const error = new BlobwireError({ ...this, message: this.#text, cause: this.cause, ...facts })
    error.stack = withFrames(error, frames)
    return error
  }

  /**
   * Returns a copy whose fields have other names.
   * @internal
   */
  renamed(nameOf: (field: string) => string): BlobwireError {
    const { violations = [] } = this.details
    const first = violations[0]?.field
    const begins = first !== undefined && first !== '' && this.#text.startsWith(`${first}: `)
    const message = begins ? nameOf(first) + this.#text.slice(first.length) : this.#text
    const renamed = violations.map(({ field, description }) => ({ field: nameOf(field), description }))
    return this.with({ message, details: { ...this.details, violations: renamed } })
  }

  /**
   * The properties of the error, for logs and other processes; `JSON.stringify` calls this. Causes are shortened to name,
   * code and message, and the stack is there only where it is asked for. `new BlobwireError(report)` makes an error of it.
   */
  toJSON(options?: { readonly stack?: boolean | undefined }): ErrorReport {
    return reportOf(this, options)
  }

  /** Called by `util.inspect` and `console.log`: the stack, and the properties that say something. */
  [Symbol.for('nodejs.util.inspect.custom')](
    depth: number,
    options: object,
    inspect: (value: unknown, options: object) => string
  ): string {
    return inspectError(this, { depth, options, inspect })
  }
}

/** The stack of an error without its first lines, which hold the message. */
export function framesOf({ name, message, stack = '' }: Error): string {
  // `Error.prepareStackTrace` of an application may make anything of a stack.
  if (typeof stack !== 'string') return ''
  const header = message === '' ? name : `${name}: ${message}`
  if (stack.startsWith(header)) return stack.slice(header.length)
  const first = stack.indexOf('\n    at ')
  return first < 0 ? '' : stack.slice(first)
}

/** The stack of an error with these frames. */
export function withFrames({ name, message }: Error, frames: string): string {
  return `${name}: ${message}${frames}`
}

/** An error as a plain object; see `toJSON`. */
export type ErrorReport = ReportOf<BlobwireError>

/** An `invalid_argument` that names the field and the allowed values, and perhaps the method that was called. */
export function invalidArgument(field: string, description: string, method?: string): BlobwireError {
  const message = field ? `${field}: ${description}` : description
  return new BlobwireError({
    code: 'invalid_argument',
    message,
    method,
    details: { violations: [{ field, description }] }
  })
}

/** An exception that is no `BlobwireError` as one: nothing but a bug of the client lets one come so far. */
export function asBlobwireError(exception: unknown): BlobwireError {
  if (exception instanceof BlobwireError) return exception
  const message = `internal error of the client: ${exception instanceof Error ? exception.message : String(exception)}`
  return new BlobwireError({ reason: 'internal_error', message, cause: exception })
}

/**
 * The error of a call whose signal has aborted: `deadline_exceeded` for `AbortSignal.timeout` (a reason of that name, see
 * the DOM Standard, "Interface AbortSignal"), otherwise `cancelled`. The reason is the cause.
 */
export function abortError(reason: unknown): BlobwireError {
  const isTimeout = (reason as { readonly name?: unknown } | null | undefined)?.name === 'TimeoutError'
  return new BlobwireError({
    code: isTimeout ? 'deadline_exceeded' : 'cancelled',
    message: isTimeout ? 'no answer within the time of the signal (AbortSignal.timeout)' : 'the call was aborted',
    cause: reason
  })
}

/** An exception of an interceptor. */
export function interceptorError(exception: unknown): BlobwireError {
  if (exception instanceof BlobwireError) return exception
  const message = `an interceptor failed: ${exception instanceof Error ? exception.message : String(exception)}`
  return new BlobwireError({ reason: 'interceptor', message, cause: exception })
}
