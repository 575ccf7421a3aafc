/** The statistics of a client. */
import type { EndpointChannel } from '../balance/endpoint-channel.ts'
import type { BatchingMode } from '../batch/batching-mode.ts'
import { methodName } from '../call/interceptor.ts'
import { type ConnectionStats, connectionStats } from '../connection/stats.ts'
import type { Counters } from '../core/counters.ts'
import type { TransportName } from '../core/error.ts'
import type { FailureCount } from '../core/failure-counts.ts'
import type { LatencySummary } from '../core/latency.ts'
import type { LatencyBuckets } from '../core/latency-histogram.ts'
import type { MethodStats } from '../telemetry/method-counts.ts'
import type { CallInvoker } from './call-invoker.ts'
import { type PoolUse, poolUse } from './pool-use.ts'

/** How batches travel to one endpoint. */
export interface BatchStats {
  /**
   * How concurrent calls are sent: `session` = in frames of a session; `unary` = several calls in one unary request;
   * `off` = each call in a request of its own.
   */
  batching: BatchingMode | 'off'
  /** Why there is no session: the reason, or else the code, of the error that ruled sessions out; otherwise empty. */
  noSessionReason: string
  /** Operations that wait for a frame. */
  queued: number
  /** Number of frames that may be in flight at the moment. */
  frameWindow: number
  /** Shortest of the latest round trips of frames, in milliseconds; undefined before the first one. */
  roundTripMs: number | undefined
}

/** One address of an endpoint, with `connection.addresses: 'all'`. */
export interface AddressStats {
  address: string
  /** See `EndpointStats`. */
  breaker: EndpointStats['breaker']
  /** Number of attempts under way. */
  inFlight: number
  /** Number of attempts since the address came into use. */
  attempts: number
}

/** State of one endpoint over one transport. */
export interface EndpointStats extends BatchStats {
  /** The endpoint as the option `endpoint` names it. */
  endpoint: string
  transport: TransportName
  /**
   * State of the circuit breaker: `open` = it refuses calls; `half_open` = a probe is under way; `off` = there is none.
   */
  breaker: 'closed' | 'open' | 'half_open' | 'off'
  /** Number of times the circuit breaker opened. */
  breakerOpenings: number
  /** Number of attempts under way. */
  inFlight: number
  /** Attempts that may be under way, with `concurrency: 'adaptive'`; undefined = not measured. */
  concurrencyLimit: number | undefined
  /** Milliseconds for an attempt by method, with `attemptTimeoutMs: 'adaptive'`; otherwise empty. */
  attemptTimeoutsMs: Record<string, number>
  /** Number of attempts, those of transfers included. */
  attempts: number
  /** Attempts that failed, by code and reason. */
  failures: FailureCount[]
  /** Round trips of frames and requests. */
  latency: LatencyBuckets
  /**
   * The addresses in use, with `connection.addresses: 'all'`; otherwise empty. The other properties are then those of all
   * together: the state of the breaker is the best one, and `frameWindow` and `roundTripMs` are of one of them.
   */
  addresses: AddressStats[]
}

/**
 * Counters and state of a client. The properties of `BatchStats` here are those of the first endpoint over the
 * transport in use; `endpoints` has them for every endpoint.
 */
export interface ClientStats extends Omit<Counters, 'connections' | 'transferConnections'>, BatchStats {
  /** Counts of connections and of the streams on them. */
  connections: ConnectionStats
  /** The same of the connections for large blobs. */
  transferConnections: ConnectionStats
  /** Transport in use. */
  transport: TransportName
  /**
   * Why `transport` is not the preferred one: the reason, or else the code, of the error that ruled that out; otherwise
   * empty.
   */
  transportReason: string
  /** Number of calls under way. */
  running: number
  /** Number of calls that may be under way: `concurrency.maxCalls`, or fewer with `concurrency: 'adaptive'`. */
  maxCalls: number
  /** Number of calls that wait because as many calls as may be are under way. */
  waiting: number
  /** Number of times a circuit breaker opened, over all endpoints. */
  breakerOpenings: number
  /** Durations of calls that succeeded, from the start of the call to its result. */
  latency: LatencySummary
  /** Calls that have ended, by method; uploads and downloads are in it. */
  methods: MethodStats[]
  /** How many bytes of messages one sent byte stands for, by compression; 1 = there was none. */
  compressionRatio: number
  /** How much of what may be used at a time is in use; `client.health()` judges it. */
  pool: PoolUse
  /** The endpoints that the client has used so far. */
  endpoints: EndpointStats[]
}

/**
 * Collects the statistics of a client.
 * @internal
 */
export function statsOf(invoker: CallInvoker): ClientStats {
  const { pipeline, counters, latency, telemetry, transport, options } = invoker
  const { selector, bulkhead, channels } = pipeline
  const endpoints = [...Map.groupBy(channels(), ({ first }) => first).values()].map(endpointStats)
  const inUse = channels().find((channel) => channel.transport === transport)
  return {
    ...counters,
    unframed: { ...counters.unframed },
    transfers: { ...counters.transfers },
    connections: connectionStats(counters.connections),
    transferConnections: connectionStats(counters.transferConnections),
    ...batchStats(inUse, options.batch === false ? 'off' : 'session'),
    transport,
    transportReason: selector.reason,
    running: bulkhead.running,
    maxCalls: bulkhead.maxCalls,
    waiting: bulkhead.queued,
    breakerOpenings: endpoints.reduce((sum, { breakerOpenings }) => sum + breakerOpenings, 0),
    latency: latency.summary(),
    methods: telemetry.calls.all(methodName),
    compressionRatio: counters.bytesSent === 0 ? 1 : counters.uncompressedBytesSent / counters.bytesSent,
    pool: poolUse(invoker),
    endpoints
  }
}

const breakerStates = ['closed', 'off', 'half_open', 'open'] as const

/** Of the channels of one endpoint: one, or one for each address. */
function endpointStats(channels: readonly EndpointChannel[]): EndpointStats {
  const [channel] = channels as [EndpointChannel]
  const { endpoint, transport, failures, latency, adaptive, first } = channel
  // What channels counted that are gone is in the first one.
  const counted = new Set([first, ...channels])
  const sum = (of: Iterable<EndpointChannel>, read: (each: EndpointChannel) => number) =>
    [...of].reduce((total, each) => total + read(each), 0)
  const states = new Set(channels.map(breakerOf))
  return {
    endpoint,
    transport,
    breaker: breakerStates.find((state) => states.has(state)) ?? 'off',
    breakerOpenings: first.openingsBefore + sum(counted, ({ breaker }) => breaker?.openings ?? 0),
    inFlight: sum(channels, ({ inFlight }) => inFlight),
    concurrencyLimit: adaptive?.concurrency && sum(channels, (each) => each.adaptive?.concurrency?.limit ?? 0),
    attemptTimeoutsMs: adaptive?.timeout?.limits() ?? {},
    attempts: sum(counted, ({ attempts }) => attempts),
    failures: failures.all(),
    latency: latency.buckets(),
    addresses: channels.flatMap(addressStats),
    ...batchStats(channel, 'off'),
    queued: sum(channels, ({ batcher }) => batcher?.queued ?? 0)
  }
}

const breakerOf = ({ breaker }: EndpointChannel) => breaker?.state ?? ('off' as const)

function addressStats(channel: EndpointChannel): AddressStats[] {
  const { address, inFlight, attempts } = channel
  return address === undefined ? [] : [{ address, breaker: breakerOf(channel), inFlight, attempts }]
}

function batchStats(channel: EndpointChannel | undefined, otherwise: 'session' | 'off'): BatchStats {
  const batcher = channel?.batcher
  return {
    batching: batcher?.mode ?? otherwise,
    noSessionReason: batcher?.noSessionReason ?? '',
    queued: batcher?.queued ?? 0,
    frameWindow: batcher?.window.size ?? 0,
    roundTripMs: batcher?.window.roundTripMs
  }
}
