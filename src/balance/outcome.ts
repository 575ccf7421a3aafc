/** What the end of an attempt tells about its endpoint. */
import type { BlobwireError } from '../core/error.ts'
import { ruleOf } from '../core/reasons.ts'

/**
 * `success` = the endpoint answered; `failure` = no connection could be had or it broke, the endpoint was silent, or it
 * refused a whole request; `none` = nothing: the caller cancelled it, or it says something about the call alone.
 */
export type Outcome = 'success' | 'failure' | 'none'

/** The outcome of an attempt that failed, by the column `breaker` of `core/reasons.ts`; see `AnswerTimes.isSilence`. */
export function outcomeOf({ code, reason, sent }: BlobwireError, isSilence: boolean): Outcome {
  const { breaker } = ruleOf(code, reason)
  // Any answer of the server tells that it works.
  if (breaker === 'answer') return sent === 'processed' ? 'success' : 'none'
  if (breaker === 'connection' || breaker === 'refusal') return 'failure'
  return breaker === 'silence' && sent !== 'processed' && isSilence ? 'failure' : 'none'
}

/** Whether an attempt that failed had no connection, and so cost no server anything. */
export function hadNoConnection({ code, reason, sent }: BlobwireError): boolean {
  return sent === 'never' && ruleOf(code, reason).breaker === 'connection'
}
