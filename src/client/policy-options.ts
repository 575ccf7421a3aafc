/** Options of retries, breaker, concurrency and hedging: their defaults and checks. */
import type { BreakerOptions, ResolvedBreakerOptions } from '../balance/circuit-breaker.ts'
import type { BatchOptions, ResolvedBatchOptions } from '../batch/options.ts'
import type { ConcurrencyOptions } from '../call/bulkhead.ts'
import { checkNumber, checkNumbers, type NumberRule } from '../core/check-options.ts'
import type { ResolvedRetryOptions, RetryOptions } from '../retry/options.ts'

/** A second attempt for reads that are slow. */
export interface HedgeOptions {
  /** Milliseconds after which a read is asked for a second time. Best near the 95th percentile of its latency. */
  delayMs: number
}

/** What a client does about failures and load. */
export interface PolicyOptions {
  /**
   * How failed calls are sent again; `false` = never. Every operation may be sent twice without doing it twice. What is
   * retried: `unavailable`, and what the server says is worth it (`retryable`), after the time it asks for; never past
   * the call's deadline.
   * @default { 'maxAttempts': 3, 'baseMs': 100, 'maxMs': 20000, 'budgetRatio': 0.2, 'budgetPerSecond': 10 }
   */
  retry?: RetryOptions | false | undefined
  /**
   * When an endpoint that keeps failing is left alone: calls are then refused with `unavailable`, reason `circuit_open`,
   * or go to another endpoint. `false` = never.
   * @default { 'failures': 5, 'ratio': 0.5, 'minimumAttempts': 20, 'windowMs': 10000, 'openMs': 60000 }
   */
  breaker?: BreakerOptions | false | undefined
  /**
   * How many calls are under way at a time; the others wait, in order.
   * @default { 'maxCalls': 10000, 'maxQueued': 100000 }
   */
  concurrency?: ConcurrencyOptions | undefined
  /**
   * Time for one attempt, in milliseconds; then it counts as failed, and the call is tried again. Without it only the
   * call's own time counts, so that a large call on a slow line is not cut off.
   * @default none
   */
  attemptTimeoutMs?: number | undefined
  /**
   * Asks for a slow read a second time, at another endpoint where there is one, and takes the first answer.
   * @default none
   */
  hedge?: HedgeOptions | undefined
}

/** With every default in place. */
export interface ResolvedPolicies {
  readonly retry: ResolvedRetryOptions
  readonly breaker: ResolvedBreakerOptions | false
  readonly concurrency: { readonly maxCalls: number; readonly maxQueued: number }
  readonly attemptTimeoutMs: number | undefined
  readonly hedge: { readonly delayMs: number } | false
}

const count = { least: 1, integer: true } as const

const retryRules: Readonly<Record<keyof RetryOptions, NumberRule>> = {
  maxAttempts: { default: 3, ...count, most: 100 },
  baseMs: { default: 100, least: 0 },
  maxMs: { default: 20_000, least: 0 },
  budgetRatio: { default: 0.2, least: 0 },
  budgetPerSecond: { default: 10, least: 0 }
}

const breakerRules: Readonly<Record<keyof BreakerOptions, NumberRule>> = {
  failures: { default: 5, ...count },
  ratio: { default: 0.5, least: 0.01, most: 1 },
  minimumAttempts: { default: 20, ...count },
  windowMs: { default: 10_000, least: 1 },
  openMs: { default: 60_000, least: 1 }
}

const concurrencyRules: Readonly<Record<keyof ConcurrencyOptions, NumberRule>> = {
  maxCalls: { default: 10_000, ...count },
  maxQueued: { default: 100_000, least: 0, integer: true }
}

const batchRules: Readonly<Record<keyof BatchOptions, NumberRule>> = {
  maxOperations: { default: 256, ...count },
  maxBytes: { default: 256 * 1024, ...count },
  lingerMs: { default: 0, least: 0 },
  framesInFlight: { default: 64, ...count },
  maxQueued: { default: 100_000, ...count },
  maxQueuedBytes: { default: 1024 ** 3, ...count }
}

/** Names of these options. */
export const policyOptions = ['retry', 'breaker', 'concurrency', 'attemptTimeoutMs', 'hedge']

/** @throws BlobwireError `invalid_argument` naming the option, the value and the allowed values */
export function checkPolicies(options: PolicyOptions): ResolvedPolicies {
  const { retry, breaker, concurrency, attemptTimeoutMs, hedge } = options
  return {
    retry: checkNumbers('retry', retry === false ? { maxAttempts: 1 } : retry, retryRules),
    breaker: breaker === false ? false : checkNumbers('breaker', breaker, breakerRules),
    concurrency: checkNumbers('concurrency', concurrency, concurrencyRules),
    attemptTimeoutMs: attemptTimeoutMs === undefined ? undefined : checkNumber('attemptTimeoutMs', attemptTimeoutMs),
    hedge: hedge === undefined ? false : { delayMs: checkNumber('hedge.delayMs', hedge?.delayMs) }
  }
}

/** @throws BlobwireError `invalid_argument` */
export function checkBatch(batch: BatchOptions | false | undefined): ResolvedBatchOptions | false {
  return batch === false ? false : checkNumbers('batch', batch, batchRules)
}
