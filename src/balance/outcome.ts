/** What the end of an attempt tells about its endpoint. */
import type { BlobwireError } from '../core/error.ts'
import { ruleOf } from '../core/reasons.ts'

/**
 * `success` = the endpoint answered; `unreachable` = no connection could be had, or nothing came; `failure` = a connection
 * broke, or the endpoint refused a whole request; `none` = nothing: the caller cancelled it, or it says something about the
 * call alone.
 */
export type Outcome = 'success' | 'failure' | 'unreachable' | 'none'

/** The outcome of an attempt that failed, by the column `breaker` of `core/reasons.ts`; see `AnswerTimes.isSilence`. */
export function outcomeOf({ code, reason, sent }: BlobwireError, isSilence: boolean): Outcome {
  const { breaker } = ruleOf(code, reason)
  // Any answer of the server tells that it works.
  if (breaker === 'answer') return sent === 'processed' ? 'success' : 'none'
  if (breaker === 'connection') return sent === 'never' ? 'unreachable' : 'failure'
  if (breaker === 'refusal') return 'failure'
  return breaker === 'silence' && sent !== 'processed' && isSilence ? 'unreachable' : 'none'
}

/** Whether an attempt that failed had no connection, and so cost no server anything. */
export function hadNoConnection({ code, reason, sent }: BlobwireError): boolean {
  return sent === 'never' && ruleOf(code, reason).breaker === 'connection'
}
