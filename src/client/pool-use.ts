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
  /** `maxConnections` times `maxStreamsPerConnection`, over all endpoints and their addresses in use. */
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
  const { transport } = pipeline.selector
  const channels = pipeline.channels().filter((channel) => channel.transport === transport)
  let maxStreams = 0
  for (const [url, { connection }] of options.endpointOptions) {
    const addresses = channels.filter(({ endpoint }) => endpoint === url).length
    maxStreams += connection.maxConnections * connection.maxStreamsPerConnection * Math.max(1, addresses)
  }
  const use = Math.min(1, Math.max(running / maxCalls, streams / maxStreams))
  return { use, running, maxCalls, waiting: queued, streams, maxStreams }
}
