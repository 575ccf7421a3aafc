import type { ResolvedBreakerOptions } from '../balance/circuit-breaker.ts'
import type { ResolvedBatchOptions } from '../batch/options.ts'
import type { Codec } from '../codec/codec.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { TransportName } from '../core/error.ts'
import type { Latency } from '../core/latency.ts'
import type { ResolvedRetryOptions } from '../retry/options.ts'
import type { Messages } from '../schema/messages.ts'
import type { Transport } from '../transport/transport.ts'
import type { Token } from './credentials.ts'
import type { RequestInterceptor } from './interceptor.ts'

/** What the layers are made from. */
export interface PipelineContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly latency: Latency
  /** Around each request. */
  readonly interceptors: readonly RequestInterceptor[]
  readonly token: Token | undefined
  /** Time for a call that does not say otherwise, in milliseconds. */
  readonly timeoutMs: number
  /** Headers of every call; calls with others travel alone. */
  readonly headers: Readonly<Record<string, string>>
  /** False = every call is a request of its own. */
  readonly batch: ResolvedBatchOptions | false
  readonly concurrency: { readonly maxCalls: number; readonly maxQueued: number }
  readonly retry: ResolvedRetryOptions
  readonly breaker: ResolvedBreakerOptions | false
  /** Milliseconds after which a read is tried a second time beside the first; false = never. */
  readonly hedge: { readonly delayMs: number } | false
  /** Milliseconds for one attempt. */
  readonly attemptTimeoutMs: number | undefined
  readonly limits: () => Messages['Limits']
  /** A new id for a request or a session. */
  readonly newRequestId: () => string
  /** One or several. */
  readonly endpoints: readonly string[]
  /** In the order of preference. */
  readonly transports: readonly TransportName[]
  readonly codecOf: (transport: TransportName) => Codec
  readonly connect: (endpoint: string, transport: TransportName) => Promise<Transport>
  /** From 0 up to 1. */
  readonly random: () => number
}
