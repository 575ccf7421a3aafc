/** The error that every call fails with, and its typed details. */
import type { Code } from './code.ts'
import { codeOfReason, type ErrorReason, ruleOf } from './reasons.ts'

/** Which transport a call took. */
export type TransportName = 'json' | 'msgpack' | 'grpc'

/** Whether the server can have seen the call: not at all, possibly, or certainly (it answered). */
export type Sent = 'never' | 'maybe' | 'processed'

const sentOrder: readonly Sent[] = ['never', 'maybe', 'processed']

/** The `sent` of two requests together. */
export function moreSent(one: Sent, other: Sent): Sent {
  return sentOrder.indexOf(one) > sentOrder.indexOf(other) ? one : other
}

/** A ref that was not where a compare-and-swap expected it. All-zero oids stand for "no such ref". */
export interface RefMismatch {
  name: string
  expectedOid: string
  foundOid: string
}

/** A limit that was exceeded, by its name in the capabilities, and what was sent (0 where the rest was not read). */
export interface LimitExceeded {
  limit: string
  maximum: number
  actual: number
}

/** A field that was wrong: its path, such as `entries[3].mode`, and what is allowed. */
export interface FieldViolation {
  field: string
  description: string
}

/** The typed facts behind an error. Each is there only where it applies. */
export interface ErrorDetails {
  refMismatches?: RefMismatch[]
  limit?: LimitExceeded
  violations?: FieldViolation[]
  /** Objects that were named and are not in the repository. */
  missingOids?: string[]
  /** How long the server asks to wait before the same call is sent again, in milliseconds. */
  retryAfterMs?: number
}

/** Details that are always present with a reason. */
export interface ReasonDetails {
  ref_mismatch: { refMismatches: RefMismatch[] }
  missing_object: { missingOids: string[] }
}

/** The details of errors with this reason. */
export type DetailsOf<Reason extends ErrorReason> = Reason extends keyof ReasonDetails
  ? ErrorDetails & ReasonDetails[Reason]
  : ErrorDetails

/** Input of a `BlobwireError`; everything but the message has a default. */
export interface BlobwireErrorInit {
  message: string
  /** Without it the code of the reason, else `unknown`. */
  code?: Code | undefined
  reason?: ErrorReason | undefined
  retryable?: boolean | undefined
  sent?: Sent | undefined
  attempts?: number | undefined
  transport?: TransportName | undefined
  requestId?: string | undefined
  details?: ErrorDetails | undefined
  cause?: unknown
}

/**
 * The one class of error that blobwire throws, on the client and on the server.
 *
 * @example
 * try { await repo.updateRefs([update]) } catch (error) {
 *   if (error instanceof BlobwireError && error.is('ref_mismatch')) console.log(error.details.refMismatches)
 * }
 */
export class BlobwireError extends Error {
  /** One of gRPC's sixteen codes in lower snake case. */
  readonly code: Code
  /** A stable finer word where one helps (`ref_mismatch`, `integrity`, …; the README lists all), else empty. */
  readonly reason: ErrorReason
  /** The same call may succeed when it is sent again. The server may say so; else the table of reasons does. */
  readonly retryable: boolean
  /** Whether the server can have seen the call. */
  readonly sent: Sent
  /** How often the call was tried; 0 = it never left. */
  readonly attempts: number
  /** The transport the call took, where it took one. */
  readonly transport: TransportName | undefined
  /** The id under which the server logged the call, where one is known. */
  readonly requestId: string | undefined
  /** Typed facts; an empty object where there are none. */
  readonly details: ErrorDetails

  constructor(init: BlobwireErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause })
    this.name = 'BlobwireError'
    this.code = init.code ?? codeOfReason(init.reason) ?? 'unknown'
    this.reason = init.reason ?? ''
    this.retryable = init.retryable ?? ruleOf(this.code, this.reason).retryable
    this.sent = init.sent ?? 'never'
    this.attempts = init.attempts ?? 0
    this.transport = init.transport
    this.requestId = init.requestId
    this.details = init.details ?? {}
  }

  /** Whether the error has this reason; narrows `details` to what is always present with it. */
  is<Reason extends ErrorReason>(
    reason: Reason
  ): this is BlobwireError & { readonly reason: Reason; readonly details: DetailsOf<Reason> } {
    return this.reason === reason
  }

  /** The same error with some of its facts filled in by a layer that knows them. */
  with(facts: Partial<BlobwireErrorInit>): BlobwireError {
    const error = new BlobwireError({ ...this, message: this.message, cause: this.cause, ...facts })
    if (this.stack) error.stack = this.stack
    return error
  }
}

/** An `invalid_argument` that names the field and the allowed values. */
export function invalidArgument(field: string, description: string): BlobwireError {
  return new BlobwireError({
    code: 'invalid_argument',
    message: field ? `${field}: ${description}` : description,
    details: { violations: [{ field, description }] }
  })
}
