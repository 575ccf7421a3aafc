/** Options of retries, breaker, concurrency and hedging: their defaults and checks. */
import type { BreakerOptions, ResolvedBreakerOptions } from '../balance/circuit-breaker.ts'
import type { BatchOptions, ResolvedBatchOptions } from '../batch/options.ts'
import type { ConcurrencyOptions } from '../call/bulkhead.ts'
import { checkNumber, checkNumbers, type NumberRule } from '../core/check-options.ts'
import type { ResolvedRetryOptions, RetryOptions } from '../retry/options.ts'

/** A second attempt of slow reads; see `ClientOptions.hedge`. */
export interface HedgeOptions {
  /**
   * Time after which a read without an answer is sent again, in milliseconds. A good value is the 95th percentile of
   * latency.
   */
  delayMs: number
}

/** Retries, circuit breaker, concurrency and hedging. */
export interface PolicyOptions {
  /**
   * How the client retries failed calls; `false` = the client makes one attempt. The client retries `unavailable` and
   * the errors that the server marks as `retryable`, after the time that the server asks for, within the call's
   * deadline. Every operation is safe to repeat.
   * @default { 'maxAttempts': 6, 'baseMs': 100, 'maxMs': 20000, 'budgetRatio': 0.2, 'budgetPerSecond': 10 }
   */
  retry?: RetryOptions | false | undefined
  /**
   * When the circuit breaker of a failing endpoint opens. Calls then go to another endpoint; where there is none, they
   * wait for a while, then fail with `unavailable`, reason `circuit_open`. `false` = there is no circuit breaker.
   * @default { 'failures': 5, 'ratio': 0.5, 'minimumAttempts': 20, 'windowMs': 10000, 'firstOpenMs': 500,
   * 'openMs': 60000, 'waitMs': 2000 }
   */
  breaker?: BreakerOptions | false | undefined
  /**
   * Maximum number of calls under way. Further calls wait in order.
   * @default { 'maxCalls': 10000, 'maxQueued': 100000 }
   */
  concurrency?: ConcurrencyOptions | undefined
  /**
   * Time for one attempt, in milliseconds. After this time the attempt fails and the client retries the call. Without
   * it, only the call's deadline applies, so that a large call on a slow network has all the time of the call.
   * @default none
   */
  attemptTimeoutMs?: number | undefined
  /**
   * Sends a slow read a second time, to another endpoint where there is one, and takes the first answer.
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
  maxAttempts: { default: 6, ...count, most: 100 },
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
  firstOpenMs: { default: 500, least: 1 },
  openMs: { default: 60_000, least: 1 },
  waitMs: { default: 2000, least: 0 }
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
