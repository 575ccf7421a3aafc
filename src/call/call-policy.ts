/** Options of a single call about its attempts and its priority: their checks, and the form that the layers read. */
import { show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'
import { resolveRows } from '../options/resolve.ts'
import { hedgeRows, retryRows } from '../options/rows/policies.ts'
import type { CallOptions } from './call-options.ts'

/** What a call has otherwise than its client. */
export interface CallPolicy {
  readonly maxAttempts: number | undefined
  readonly attemptTimeoutMs: number | undefined
  readonly hedge: { readonly delayMs: number } | false | undefined
}

const retryOfCall = { maxAttempts: { ...retryRows.maxAttempts, required: true } } as const
const attemptRows = { attemptTimeoutMs: { kind: 'number', above: 0, required: true } } as const

/** Undefined = the call is as the client's calls are. @throws BlobwireError `invalid_argument` */
export function policyOf({ retry, attemptTimeoutMs, hedge }: CallOptions): CallPolicy | undefined {
  if (retry === undefined && attemptTimeoutMs === undefined && hedge === undefined) return undefined
  if (attemptTimeoutMs !== undefined) resolveRows('', { attemptTimeoutMs }, attemptRows)
  return {
    maxAttempts: retry === undefined ? undefined : retry === false ? 1 : attemptsOf(retry),
    attemptTimeoutMs,
    hedge: hedge && (resolveRows('hedge', hedge, hedgeRows) as { delayMs: number })
  }
}

function attemptsOf(retry: unknown): number {
  return (resolveRows('retry', retry, retryOfCall) as { maxAttempts: number }).maxAttempts
}

/** @throws BlobwireError `invalid_argument` */
export function checkPriority(priority: unknown): CallOptions['priority'] {
  if (priority === 'interactive' || priority === 'background') return priority
  throw invalidArgument('priority', `must be interactive or background, not ${show(priority)}`)
}
