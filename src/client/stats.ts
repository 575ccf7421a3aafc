/** The statistics of a client. */
import type { EndpointChannel } from '../balance/endpoint-channel.ts'
import type { BatchingMode } from '../batch/batcher.ts'
import { type ConnectionStats, connectionStats } from '../connection/stats.ts'
import type { Counters } from '../core/counters.ts'
import type { TransportName } from '../core/error.ts'
import type { LatencySummary } from '../core/latency.ts'
import type { CallInvoker } from './call-invoker.ts'

/** How batches travel to one endpoint. */
export interface BatchStats {
  /**
   * How concurrent calls travel: in frames of a `session`, where there is none as `unary` requests of several calls, or
   * (`off`) each as a request of its own.
   */
  batching: BatchingMode | 'off'
  /** Why there is no session: the reason or code of the error that said so; empty otherwise. */
  noSessionReason: string
  /** Operations that wait for their frame. */
  queued: number
  /** Frames that may be in flight at the moment. */
  frameWindow: number
  /** The shortest of the last round trips of frames, in milliseconds; undefined before the first. */
  roundTripMs: number | undefined
}

/** One endpoint over one transport. */
export interface EndpointStats extends BatchStats {
  /** As it was given. */
  endpoint: string
  transport: TransportName
  /** `open` = it is left alone; `half_open` = a probe is under way. */
  breaker: 'closed' | 'open' | 'half_open' | 'off'
  /** How often its breaker opened. */
  breakerOpenings: number
  /** Attempts under way. */
  inFlight: number
}

/** What a client has done so far; what is of one endpoint stands for the first one here, and for all in `endpoints`. */
export interface ClientStats extends Omit<Counters, 'connections'>, BatchStats {
  /** Connections: opened, open, idle, in use, and what they carry. */
  connections: ConnectionStats
  /** The transport in use. */
  transport: TransportName
  /** Why it is not the preferred one: the reason or code of the error that said so; empty otherwise. */
  transportReason: string
  /** Calls under way. */
  running: number
  /** Calls that wait for their turn (`concurrency.maxCalls`). */
  waiting: number
  /** How often a breaker opened. */
  breakerOpenings: number
  /** Of calls that succeeded, from the call to its answer. */
  latency: LatencySummary
  /** Those that were used so far. */
  endpoints: EndpointStats[]
}

/**
 * Collects the statistics of a client.
 * @internal
 */
export function statsOf({ pipeline, counters, latency, transport, options }: CallInvoker): ClientStats {
  const { selector, bulkhead, channels } = pipeline
  const endpoints = channels().map(endpointStats)
  const inUse = channels().find((channel) => channel.transport === transport)
  return {
    ...counters,
    connections: connectionStats(counters.connections),
    ...batchStats(inUse, options.batch === false ? 'off' : 'session'),
    transport,
    transportReason: selector.reason,
    running: bulkhead.running,
    waiting: bulkhead.queued,
    breakerOpenings: endpoints.reduce((sum, { breakerOpenings }) => sum + breakerOpenings, 0),
    latency: latency.summary(),
    endpoints
  }
}

function endpointStats(channel: EndpointChannel): EndpointStats {
  const { endpoint, transport, breaker, inFlight } = channel
  const { state = 'off' as const, openings = 0 } = breaker ?? {}
  return { endpoint, transport, breaker: state, breakerOpenings: openings, inFlight, ...batchStats(channel, 'off') }
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
