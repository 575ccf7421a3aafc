/** How much of a client's pool is in use. */
import type { CallInvoker } from './call-invoker.ts'

/** How much of what a client may use at a time is in use. */
export interface PoolUse {
  /** The larger one of the shares of calls and of streams, from 0 to 1: below 0.7 healthy, above 0.9 unhealthy. */
  use: number
  /** Calls under way, of `maxCalls`; an adaptive bound is the one that counts between its measurements. */
  running: number
  maxCalls: number
  /** Calls that wait for one of these places. */
  waiting: number
  /** Requests and sessions in flight, of `maxStreams`. A session is one stream, however many calls it carries. */
  streams: number
  /** `maxConnections` times `maxStreamsPerConnection`, over all endpoints. */
  maxStreams: number
}

/**
 * The parts of a client that it is told from.
 * @internal
 */
export type PoolUseContext = Pick<CallInvoker, 'pipeline' | 'counters'> & {
  readonly options: Pick<CallInvoker['options'], 'endpointOptions'>
}

/** @internal */
export function poolUse({ pipeline, counters, options }: PoolUseContext): PoolUse {
  const { running, queued } = pipeline.bulkhead
  const maxCalls = pipeline.usualCalls()
  const { streams } = counters.connections
  const ofEndpoints = [...options.endpointOptions.values()]
  const maxStreams = ofEndpoints.reduce(
    (sum, { connection: { maxConnections, maxStreamsPerConnection } }) =>
      sum + maxConnections * maxStreamsPerConnection,
    0
  )
  const use = Math.min(1, Math.max(running / maxCalls, streams / maxStreams))
  return { use, running, maxCalls, waiting: queued, streams, maxStreams }
}
