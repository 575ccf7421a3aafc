/** What becomes of a delivery after an attempt. */
import type { Outcome } from '../balance/outcome.ts'
import { codeFromHttpStatus } from '../core/code.ts'
import { BlobwireError } from '../core/error.ts'
import { withRetryAfter } from '../transport/errors.ts'
import type { ResolvedSenderOptions } from './options.ts'

/** The end of an attempt: an answer, or none. */
export type AttemptEnd =
  | { readonly status: number; readonly retryAfter: string | undefined }
  | { readonly error: BlobwireError }

/** Decided about a delivery and about its destination. */
export interface Verdict {
  /** `released` = the attempt does not count. */
  readonly state: 'delivered' | 'retry' | 'dead' | 'released'
  readonly status?: number | undefined
  readonly error?: BlobwireError | undefined
  /** Time until the next attempt, in milliseconds. */
  readonly delayMs: number
  /** Time for which the receiver wants no webhook at all. */
  readonly pauseMs: number
  /** For the circuit breaker. */
  readonly outcome: Outcome
}

/** Answers after which the same webhook may succeed, besides 5xx. */
const retried = [408, 429]

/** Answers with which a receiver asks all senders to wait. */
const pausing = [429, 503]

/** Errors that no further attempt can mend. */
const final = ['address_refused', 'network_denied', 'redirect_refused']

/** Decides by the end of an attempt. `attempts` counts it. */
export function judge(
  end: AttemptEnd,
  attempts: number,
  { retry, random, nowMs }: Pick<ResolvedSenderOptions, 'retry'> & { random: () => number; nowMs: number }
): Verdict {
  if ('status' in end && end.status >= 200 && end.status < 300) {
    return { state: 'delivered', status: end.status, delayMs: 0, pauseMs: 0, outcome: 'success' }
  }
  const error = 'status' in end ? errorOfStatus(end.status, end.retryAfter, nowMs) : end.error
  const status = 'status' in end ? end.status : undefined
  if (error.reason === 'client_closed') return { state: 'released', error, delayMs: 0, pauseMs: 0, outcome: 'none' }
  const askedMs = Math.min(error.details.retryAfterMs ?? 0, retry.maxRetryAfterMs)
  const pauseMs = status !== undefined && pausing.includes(status) ? askedMs : 0
  const outcome = outcomeOf(error, status)
  const delay = retry.delaysMs[attempts - 1]
  if (!mayRetry(error, status) || delay === undefined)
    return { state: 'dead', status, error, delayMs: 0, pauseMs, outcome }
  const delayMs = Math.max(askedMs, delay * (1 + retry.jitter * random()))
  return { state: 'retry', status, error, delayMs, pauseMs, outcome }
}

function mayRetry({ reason }: BlobwireError, status: number | undefined): boolean {
  return status === undefined ? !final.includes(reason) : status >= 500 || retried.includes(status)
}

/** Any answer below 500 tells that the receiver works; a refusal of the guard tells nothing. */
function outcomeOf({ reason }: BlobwireError, status: number | undefined): Outcome {
  if (status !== undefined) return status >= 500 ? 'failure' : 'success'
  return final.includes(reason) ? 'none' : 'failure'
}

function errorOfStatus(status: number, retryAfter: string | undefined, nowMs: number): BlobwireError {
  const isRedirect = status >= 300 && status < 400
  const mayCome = status >= 500 || retried.includes(status)
  const error = new BlobwireError({
    reason: isRedirect ? 'redirect_refused' : mayCome ? 'receiver_failed' : 'receiver_refused',
    ...(isRedirect || mayCome ? {} : { code: codeFromHttpStatus(status) }),
    message: `the receiver answered with the status ${status}${isRedirect ? ', a redirect that is not followed' : ''}`,
    sent: 'processed'
  })
  return withRetryAfter(error, retryAfter, nowMs)
}
