/**
 * The snapshots of `GET /dashboard/events`: server-sent events (HTML Living Standard, "Server-sent events"), each with the
 * JSON of a `FeedSnapshot` as its data, one a second. All lists are bounded. Of a server of several processes, the figures
 * are sums.
 */
import type { CallTransport, MemoryFigures, QueueFigures, UploadFigures, WebhookFigures } from '../metrics/snapshot.ts'

/** Latencies, from the buckets of a histogram; 0 without calls. */
export interface FeedLatency {
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** A method or a step of the store. */
export interface FeedMethod {
  readonly name: string
  readonly perSecond: number
  readonly errorsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface FeedTransport {
  readonly transport: CallTransport
  readonly callsPerSecond: number
  readonly errorsPerSecond: number
  readonly sessions: number
  /** Open requests and streams, sessions included. */
  readonly streams: number
  readonly inFlight: number
  /** Bytes of messages without compression, divided by their bytes on the wire; 1 without messages. */
  readonly compressionRatio: number
}

export interface FeedListener {
  readonly listener: string
  readonly open: number
  readonly openedPerSecond: number
  /** With headers and TLS. */
  readonly receivedBytesPerSecond: number
  readonly sentBytesPerSecond: number
}

/** Errors of one kind in the window. */
export interface FeedError {
  readonly code: string
  /** Empty = none. */
  readonly reason: string
  readonly count: number
}

export interface FeedRepository {
  readonly repository: string
  readonly callsPerSecond: number
}

/** A call that took long. */
export interface SlowCall {
  /** When it ended, in RFC 3339. */
  readonly time: string
  /** Of a batch of a frame, its first operation. */
  readonly method: string
  readonly transport: CallTransport
  readonly repository: string
  readonly durationMs: number
  /** `ok`, or the code of the error. */
  readonly code: string
  readonly requestId: string
  /** Operations that took this time together. */
  readonly operations: number
}

/** A destination of push events. */
export interface FeedDestination extends WebhookFigures {
  readonly name: string
}

export interface FeedCheck {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** The server in the last seconds. Rates are of the last second; latencies, lists of methods and errors of the window. */
export interface FeedSnapshot {
  /** RFC 3339. */
  readonly time: string
  readonly serverVersion: string
  readonly uptimeSeconds: number
  readonly processes: number
  readonly state: 'ready' | 'not_ready' | 'draining'
  readonly checks: readonly FeedCheck[]
  /** Length of the window; shorter in the first snapshots. */
  readonly windowMs: number
  readonly callsPerSecond: number
  readonly errorsPerSecond: number
  readonly inFlight: number
  readonly latency: FeedLatency
  /** The busiest first, at most 20. */
  readonly methods: readonly FeedMethod[]
  readonly transports: readonly FeedTransport[]
  readonly listeners: readonly FeedListener[]
  /** The most frequent first, at most 20. */
  readonly errors: readonly FeedError[]
  /** The busiest of the last second first, at most 10. Counted only while somebody watches. */
  readonly repositories: readonly FeedRepository[]
  /** The latest first, at most 20. */
  readonly slowCalls: readonly SlowCall[]
  readonly queues: QueueFigures
  readonly memory: MemoryFigures
  readonly uploads: UploadFigures
  /** Destinations of push events; undefined = the server sends none. */
  readonly destinations: readonly FeedDestination[] | undefined
  /** Steps of the store; empty for a store that measures none. */
  readonly storeSteps: readonly FeedMethod[]
  readonly eventLoop: { readonly utilization: number; readonly delayP99Ms: number }
  readonly process: {
    /** Processor time in the last second, in cores. */
    readonly cores: number
    readonly residentBytes: number
    readonly heapUsedBytes: number
    readonly heapLimitBytes: number
    readonly openFiles: number
  }
  /** Lines of the access log that were dropped since the server started. */
  readonly droppedLogLines: number
}
