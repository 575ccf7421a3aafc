/** Everything that the channels of a client are made from. */
import type { Credentials } from '../call/credentials.ts'
import type { Codec } from '../codec/codec.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { TransportName } from '../core/error.ts'
import type {
  ResolvedAdaptiveOptions,
  ResolvedBatchOptions,
  ResolvedBreakerOptions,
  ResolvedConcurrencyOptions
} from '../options/types.ts'
import type { RetryBudget } from '../retry/budget.ts'
import type { Messages } from '../schema/messages.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Transport } from '../transport/transport.ts'

/** The limits of one endpoint. */
export interface OwnLimits {
  readonly weight: number
  readonly attemptTimeoutMs: number | 'adaptive' | undefined
}

/** Shared by all channels of a client. Limits may change: see `EndpointChannel.applyLimits`. */
export interface EndpointChannelContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly telemetry: Telemetry
  /** The header `user-agent` of every request. */
  readonly userAgent: string
  /** Headers of every call. */
  readonly headers: Readonly<Record<string, string>>
  /** False = every call is a request of its own. */
  readonly batch: ResolvedBatchOptions | false
  readonly breaker: ResolvedBreakerOptions | false
  /** Milliseconds for one attempt at an endpoint that has no time of its own. */
  readonly attemptTimeoutMs: number | 'adaptive' | undefined
  readonly concurrency: ResolvedConcurrencyOptions
  readonly adaptive: ResolvedAdaptiveOptions
  /** What endpoints have of their own. */
  readonly endpointOptions?: ReadonlyMap<string, OwnLimits>
  /** The limit on attempts of a channel has changed. */
  readonly onLimitChange: () => void
  readonly limits: () => Messages['Limits']
  /** A new id for a request or a session. */
  readonly newRequestId: () => string
  readonly codecOf: (transport: TransportName) => Codec
  /** `address`: the one of the endpoint's name to connect to; undefined = any. */
  readonly connect: (endpoint: string, transport: TransportName, address?: string) => Promise<Transport>
  readonly credentials: Credentials | undefined
  readonly budget: RetryBudget
  /** From 0 up to 1. */
  readonly random: () => number
}
