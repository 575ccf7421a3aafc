/**
 * The metrics of a client: names, meanings, and where their values stand in `client.stats()`. Names and units follow
 * Prometheus ("Metric and label naming"): base units, `_total` for counters. No label has values without bounds: methods,
 * codes, reasons, transports, and endpoints as the options name them.
 */
import type { ClientStats, EndpointStats, LatencyBuckets } from '../index.ts'

export type Labels = Readonly<Record<string, string | number>>

/** One value of a metric, or a histogram. */
export interface Sample {
  readonly labels: Labels
  readonly value: number | LatencyBuckets
}

/** A metric, and its samples of one client. */
export interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: (stats: ClientStats) => readonly Sample[]
}

const one = (read: (stats: ClientStats) => number) => (stats: ClientStats) => [{ labels: {}, value: read(stats) }]

/** One sample for each endpoint and transport that the client has used. */
const perEndpoint =
  (read: (endpoint: EndpointStats) => Sample['value'] | readonly Sample[]) =>
  ({ endpoints }: ClientStats): Sample[] =>
    endpoints.flatMap((each) => {
      const labels = { endpoint: each.endpoint, transport: each.transport }
      const found = read(each)
      if (!Array.isArray(found)) return [{ labels, value: found as Sample['value'] }]
      return (found as readonly Sample[]).map((sample) => ({ ...sample, labels: { ...labels, ...sample.labels } }))
    })

/** The connections for calls, and those for large blobs. */
const perKind =
  (read: (connections: ClientStats['connections']) => number) =>
  ({ connections, transferConnections }: ClientStats): Sample[] => [
    { labels: { kind: 'calls' }, value: read(connections) },
    { labels: { kind: 'transfers' }, value: read(transferConnections) }
  ]

const failureSamples = (failures: ClientStats['methods'][number]['failures'], labels: Labels): Sample[] =>
  failures.map(({ code, reason, count }) => ({ labels: { ...labels, code, reason }, value: count }))

/** Calls that have ended; those that failed are summed up over their reasons. */
function callsByCode({ methods }: ClientStats): Sample[] {
  return methods.flatMap(({ method, latency, failures }) => {
    const codes = new Map<string, number>([['ok', latency.count]])
    for (const { code, count } of failures) codes.set(code, (codes.get(code) ?? 0) + count)
    return [...codes].map(([code, value]) => ({ labels: { method, code }, value }))
  })
}

const breakerStates = ['closed', 'open', 'half_open'] as const

const counter = (name: string, help: string, samples: Family['samples']): Family => ({
  name: `${name}_total`,
  type: 'counter',
  help,
  samples
})
const gauge = (name: string, help: string, samples: Family['samples']): Family => ({
  name,
  type: 'gauge',
  help,
  samples
})

export const families: readonly Family[] = [
  counter('calls', 'Calls that have ended, by method and code; ok = they succeeded.', callsByCode),
  counter('call_failures', 'Calls that failed, by method, code and reason.', ({ methods }) =>
    methods.flatMap(({ method, failures }) => failureSamples(failures, { method }))
  ),
  {
    name: 'call_duration_seconds',
    type: 'histogram',
    help: 'Durations of calls that succeeded, from the start of the call to its result.',
    samples: ({ methods }) => methods.map(({ method, latency }) => ({ labels: { method }, value: latency }))
  },
  gauge(
    'calls_running',
    'Calls under way.',
    one(({ running }) => running)
  ),
  gauge(
    'calls_waiting',
    'Calls that wait because concurrency.maxCalls are under way.',
    one(({ waiting }) => waiting)
  ),
  gauge(
    'pool_use_ratio',
    'The larger one of calls under way by concurrency.maxCalls, and streams by those that connections may have.',
    one(({ pool }) => pool.use)
  ),
  counter(
    'attempts',
    'Attempts of all calls.',
    one(({ attempts }) => attempts)
  ),
  counter(
    'retries',
    'Attempts after the first of a call.',
    one(({ retries }) => retries)
  ),
  counter(
    'hedges',
    'Second attempts of slow reads.',
    one(({ hedges }) => hedges)
  ),
  counter(
    'timeouts',
    'Calls and attempts that ended at their time limit.',
    one(({ timeouts }) => timeouts)
  ),
  counter(
    'resent_operations',
    'Operations sent again because their session ended.',
    one(({ resent }) => resent)
  ),
  counter(
    'requests',
    'Unary requests and sessions sent.',
    one(({ requests }) => requests)
  ),
  counter(
    'sessions',
    'Sessions opened, failed attempts included.',
    one(({ sessions }) => sessions)
  ),
  counter(
    'frames',
    'Frames sent on sessions.',
    one(({ frames }) => frames)
  ),
  counter(
    'framed_operations',
    'Operations in these frames.',
    one(({ framedOperations }) => framedOperations)
  ),
  counter('unframed_attempts', 'Attempts that were not sent in a frame, by the reason.', ({ unframed }) =>
    Object.entries(unframed).map(([reason, value]) => ({ labels: { reason }, value }))
  ),
  counter(
    'sent_bytes',
    'Bytes of request messages as sent.',
    one(({ bytesSent }) => bytesSent)
  ),
  counter(
    'received_bytes',
    'Bytes of response messages as received.',
    one(({ bytesReceived }) => bytesReceived)
  ),
  counter(
    'uncompressed_sent_bytes',
    'Bytes of request messages before compression.',
    one(({ uncompressedBytesSent }) => uncompressedBytesSent)
  ),
  counter(
    'uncompressed_received_bytes',
    'Bytes of response messages after decompression.',
    one(({ uncompressedBytesReceived }) => uncompressedBytesReceived)
  ),
  counter(
    'transfers',
    'Uploads and downloads started.',
    one(({ transfers }) => transfers.started)
  ),
  counter(
    'transfer_failures',
    'Uploads and downloads that failed.',
    one(({ transfers }) => transfers.failures)
  ),
  counter(
    'transfer_retries',
    'Attempts after the first of a transfer.',
    one(({ transfers }) => transfers.retries)
  ),
  counter(
    'transfer_sent_bytes',
    'Bytes of content sent by uploads.',
    one(({ transfers }) => transfers.bytesSent)
  ),
  counter(
    'transfer_received_bytes',
    'Bytes of content received by downloads.',
    one(({ transfers }) => transfers.bytesReceived)
  ),
  gauge(
    'connections_open',
    'Open connections, by their kind.',
    perKind(({ open }) => open)
  ),
  gauge(
    'connections_in_use',
    'Open connections with streams in flight.',
    perKind(({ inUse }) => inUse)
  ),
  counter(
    'connections_opened',
    'Connections opened.',
    perKind(({ opened }) => opened)
  ),
  counter(
    'connection_failures',
    'Attempts to open a connection that failed.',
    perKind(({ failures }) => failures)
  ),
  gauge(
    'streams_in_flight',
    'Requests and sessions in flight.',
    perKind(({ streams }) => streams)
  ),
  counter(
    'streams_opened',
    'Requests and sessions begun.',
    perKind(({ totalStreams }) => totalStreams)
  ),
  counter(
    'endpoint_attempts',
    'Attempts, by endpoint.',
    perEndpoint(({ attempts }) => attempts)
  ),
  counter(
    'endpoint_failures',
    'Attempts that failed, by endpoint.',
    perEndpoint(({ failures }) => failureSamples(failures, {}))
  ),
  gauge(
    'endpoint_attempts_in_flight',
    'Attempts under way.',
    perEndpoint(({ inFlight }) => inFlight)
  ),
  {
    name: 'endpoint_round_trip_seconds',
    type: 'histogram',
    help: 'Round trips of frames and requests, by endpoint.',
    samples: perEndpoint(({ latency }) => latency)
  },
  gauge(
    'endpoint_queued_operations',
    'Operations that wait for a frame.',
    perEndpoint(({ queued }) => queued)
  ),
  gauge(
    'endpoint_frame_window',
    'Frames that may be in flight.',
    perEndpoint(({ frameWindow }) => frameWindow)
  ),
  gauge(
    'breaker_state',
    'State of the circuit breaker: 1 for the one that it is in.',
    perEndpoint(({ breaker }) =>
      breaker === 'off' ? [] : breakerStates.map((state) => ({ labels: { state }, value: state === breaker ? 1 : 0 }))
    )
  ),
  counter(
    'breaker_openings',
    'Times the circuit breaker opened.',
    perEndpoint(({ breakerOpenings }) => breakerOpenings)
  ),
  gauge('transport_info', 'Always 1; the label names the transport in use.', ({ transport }) => [
    { labels: { transport }, value: 1 }
  ])
]
