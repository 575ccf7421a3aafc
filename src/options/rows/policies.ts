/** Options of retries, the breaker, concurrency, hedging and batches. */
import type { Rows } from '../row.ts'

/** When and how often the client retries a failed call; see `ClientOptions.retry`. */
export const retryRows = {
  /**
   * Maximum number of attempts of one call, including the first. With the default, one more than the failures that open a
   * circuit breaker, a call outlasts a restart of its only server for at least `breaker.waitMs`: either the server is back
   * before the breaker opens, or the call waits for the breaker.
   */
  maxAttempts: { kind: 'number', default: 6, least: 1, integer: true, most: 100 },
  /**
   * Longest random wait before the second attempt, in milliseconds. It is multiplied by `factor` with each further
   * attempt.
   */
  baseMs: { kind: 'number', unit: 'ms', default: 100, least: 0 },
  /**
   * Longest wait between two attempts, in milliseconds, unless the server asks for a longer one.
   */
  maxMs: { kind: 'number', unit: 'ms', default: 20_000, least: 0 },
  /**
   * Factor of the wait with each further attempt: with 2 it doubles, with 1 it stays the same.
   */
  factor: { kind: 'number', default: 2, least: 1, most: 100 },
  /**
   * Whether waits are random, from 0 to the longest ("full jitter"), so that clients that failed together do not come
   * back together. `false` = every wait is the longest.
   */
  jitter: { kind: 'boolean', default: true },
  /**
   * Retries per call, over all calls of the last ten seconds: 0.2 = one retry for five calls.
   */
  budgetRatio: { kind: 'number', default: 0.2, least: 0 },
  /**
   * Further retries per second, so that a client with few calls can retry as well.
   */
  budgetPerSecond: { kind: 'number', default: 10, least: 0 }
} as const satisfies Rows

/** When the circuit breaker of an endpoint opens, and for how long; see `ClientOptions.breaker`. */
export const breakerRows = {
  /**
   * Number of consecutive failures that opens the breaker. Attempts that were under way together and fail together
   * count as one.
   */
  failures: { kind: 'number', default: 5, least: 1, integer: true },
  /**
   * Share of failed attempts within `windowMs` that opens the breaker, from 0.01 to 1. The share counts once there were
   * `minimumAttempts` attempts.
   */
  ratio: { kind: 'number', default: 0.5, least: 0.01, most: 1 },
  /**
   * Least number of attempts within `windowMs` for `ratio` to count.
   */
  minimumAttempts: { kind: 'number', default: 20, least: 1, integer: true },
  /**
   * Length of the window over which `ratio` is computed, in milliseconds.
   */
  windowMs: { kind: 'number', unit: 'ms', default: 10_000, least: 1 },
  /**
   * Time for which a breaker is open at first, in milliseconds. Then the breaker lets one call through as a probe. The
   * time doubles with each probe that fails, up to `openMs`, and is shorter by up to a fifth at random.
   */
  firstOpenMs: { kind: 'number', unit: 'ms', default: 500, least: 1 },
  /**
   * Longest time for which a breaker is open before a probe, in milliseconds.
   */
  openMs: { kind: 'number', unit: 'ms', default: 60_000, least: 1 },
  /**
   * Time that a call waits, within its deadline, where the breakers of all endpoints are open, in milliseconds; then the
   * call fails with `unavailable`, reason `circuit_open`. While calls wait, the client tries a new connection every 500
   * ms, whatever the breakers say. Waiting takes neither attempts nor budget. 0 = such calls fail at once.
   */
  waitMs: { kind: 'number', unit: 'ms', default: 2000, least: 0 }
} as const satisfies Rows

/** How many calls may be under way at a time; see `ClientOptions.concurrency`. */
export const concurrencyRows = {
  /**
   * Maximum number of calls under way. Further calls wait in order.
   */
  maxCalls: { kind: 'number', default: 10_000, least: 1, integer: true },
  /**
   * Maximum number of calls that wait. Further calls fail with `resource_exhausted`, reason `queue_full`.
   */
  maxQueued: { kind: 'number', default: 100_000, least: 0, integer: true },
  /**
   * Whether the number of calls under way follows the load that the endpoints can take, up to `maxCalls`. See
   * docs/adaptive.md.
   */
  adaptive: { kind: 'boolean', default: false }
} as const satisfies Rows

/** Bounds of the limits that adapt; see `ClientOptions.adaptive`. */
export const adaptiveRows = {
  /**
   * Percentile of the times of an endpoint's answers for `attemptTimeoutMs: 'adaptive'`, by method and size.
   */
  percentile: { kind: 'number', default: 99, above: 0, most: 100 },
  /**
   * Factor of this percentile: an attempt has so many times as long as the slowest of the usual answers take.
   */
  factor: { kind: 'number', default: 3, least: 1, most: 100 },
  /**
   * Least time for an attempt, in milliseconds.
   */
  leastTimeoutMs: { kind: 'number', unit: 'ms', default: 500, above: 0 },
  /**
   * Longest time for an attempt, in milliseconds; also before the endpoint has given 20 answers.
   */
  mostTimeoutMs: { kind: 'number', unit: 'ms', default: 30_000, above: 0 },
  /**
   * Least number of calls under way at one endpoint for `concurrency: 'adaptive'`. With so many under way, the client
   * measures how long answers take without load.
   */
  leastCalls: { kind: 'number', default: 4, least: 1, integer: true }
} as const satisfies Rows

/** A second attempt of slow reads; see `ClientOptions.hedge`. */
export const hedgeRows = {
  /**
   * Time after which a read without an answer is sent again, in milliseconds. A good value is the 95th percentile of
   * latency.
   */
  delayMs: { kind: 'number', unit: 'ms', above: 0, required: true }
} as const satisfies Rows

/** How the client checks its endpoints; see `ClientOptions.healthCheck`. */
export const healthCheckRows = {
  /**
   * Time from one check to the next, in milliseconds. It varies by up to a tenth, so that many clients do not ask
   * together.
   */
  intervalMs: { kind: 'number', unit: 'ms', default: 10_000, least: 100 },
  /**
   * Time for the answer to a check, in milliseconds; then the check has failed.
   */
  timeoutMs: { kind: 'number', unit: 'ms', default: 2000, above: 0 }
} as const satisfies Rows

/** How the client gathers calls into frames; see `ClientOptions.batch`. */
export const batchRows = {
  /**
   * Maximum number of operations in one frame. The server's own limit applies where it is lower.
   */
  maxOperations: { kind: 'number', default: 256, least: 1, integer: true },
  /**
   * Maximum size of one frame, in bytes. A larger operation is sent in a frame of its own. The server's own limit
   * applies where it is lower.
   */
  maxBytes: { kind: 'number', unit: 'bytes', default: 256 * 1024, least: 1, integer: true },
  /**
   * Time that the first call of a frame waits for further calls while no frame is in flight, in milliseconds; 0 = the
   * frame is sent at once.
   */
  lingerMs: { kind: 'number', unit: 'ms', default: 0, least: 0 },
  /**
   * Maximum number of frames in flight. Within this bound, the client adapts the number to the round trip time.
   */
  framesInFlight: { kind: 'number', default: 64, least: 1, integer: true },
  /**
   * Maximum number of operations that wait for a frame. Further calls fail with `resource_exhausted`, reason
   * `queue_full`.
   */
  maxQueued: { kind: 'number', default: 100_000, least: 1, integer: true },
  /**
   * Approximate maximum size of the operations that wait for a frame, in bytes. An empty queue accepts one operation of
   * any size. The client does not copy contents that wait, so that this bounds the caller's memory.
   */
  maxQueuedBytes: { kind: 'number', unit: 'bytes', default: 1024 ** 3, least: 1, integer: true }
} as const satisfies Rows

/** Retries, circuit breaker, concurrency and hedging. */
export const policyRows = {
  /**
   * How the client retries failed calls; `false` = the client makes one attempt. The client retries `unavailable` and
   * the errors that the server marks as `retryable`, after the time that the server asks for, within the call's
   * deadline. Every operation is safe to repeat.
   */
  retry: { kind: 'group', type: 'RetryOptions', rows: retryRows, instead: [false] },
  /**
   * When the circuit breaker of a failing endpoint opens. Calls then go to another endpoint; where there is none, they
   * wait for a while, then fail with `unavailable`, reason `circuit_open`. `false` = there is no circuit breaker.
   */
  breaker: { kind: 'group', type: 'BreakerOptions', rows: breakerRows, instead: [false] },
  /**
   * Maximum number of calls under way. Further calls wait in order. `'adaptive'` = `{ adaptive: true }`.
   */
  concurrency: { kind: 'group', type: 'ConcurrencyOptions', rows: concurrencyRows, instead: ['adaptive'] },
  /**
   * Priority of the calls. While the server is busy, `'background'` calls, such as imports and backups, yield to
   * `'interactive'` ones: where both wait, one call of five is a background call, and where the queue is full, background
   * calls fail first, with `resource_exhausted`, reason `shed`.
   */
  priority: { kind: 'choice', values: ['interactive', 'background'], default: 'interactive' },
  /**
   * Time for one attempt, in milliseconds. After this time the attempt fails and the client retries the call. Without
   * it, only the call's deadline applies, so that a large call on a slow network has all the time of the call.
   * `'adaptive'` = the time follows the answers of the endpoint; see docs/adaptive.md.
   */
  attemptTimeoutMs: { kind: 'number', unit: 'ms', above: 0, instead: ['adaptive'] },
  /**
   * Bounds of the limits that adapt: `attemptTimeoutMs: 'adaptive'` and `concurrency: 'adaptive'`.
   */
  adaptive: { kind: 'group', type: 'AdaptiveOptions', rows: adaptiveRows },
  /**
   * Sends a slow read a second time, to another endpoint where there is one, and takes the first answer.
   */
  hedge: { kind: 'group', type: 'HedgeOptions', rows: hedgeRows, optional: true },
  /**
   * Asks each endpoint at a steady interval whether it answers, from the creation of the client on, so that the circuit
   * breaker of an endpoint that fails opens before calls meet it, and closes again without a call as its probe. Without
   * this option, calls alone tell about endpoints. `client.health()` has the results. Checks do not keep the process
   * running.
   */
  healthCheck: { kind: 'group', type: 'HealthCheckOptions', rows: healthCheckRows, optional: true }
} as const satisfies Rows
