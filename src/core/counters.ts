/** The counters of a client, incremented where things happen and read by `client.stats()`. */
/** Connections of a client, counted where they are opened and used. */
export interface ConnectionCounters {
  /** Connections opened since the client was created. */
  opened: number
  /** Attempts to open a connection that failed. */
  failures: number
  /** Open connections, including those that are draining. */
  open: number
  /** Open connections with streams in flight. */
  inUse: number
  /** Requests and sessions in flight. */
  streams: number
  /** Requests and sessions since the client was created. */
  totalStreams: number
}

/** Counts since the client was created. */
export interface Counters {
  /** Calls started. `batch` and `commitFiles` count as the calls that they make. */
  calls: number
  /** Calls that failed. */
  failures: number
  /** Attempts of all calls. Without failures, each call has one. */
  attempts: number
  /** Attempts after the first of a call. */
  retries: number
  /** Hedges: second attempts of slow reads (`hedge`). */
  hedges: number
  /** Calls that ended at their deadline, and attempts that ended after `attemptTimeoutMs`. */
  timeouts: number
  /** Unary requests. */
  requests: number
  /** Sessions opened, including failed attempts to open one. */
  sessions: number
  /** Frames sent on sessions. */
  frames: number
  /** Operations in these frames. */
  framedOperations: number
  /** Operations sent again because their session ended. */
  resent: number
  /** Bytes of request messages, without headers and framing, after compression (gRPC: before compression). */
  bytesSent: number
  /** Bytes of response messages, without headers and framing, before decompression (gRPC: after decompression). */
  bytesReceived: number
  /** Counts of connections. */
  connections: ConnectionCounters
}

/** All at zero. */
export function newCounters(): Counters {
  return {
    calls: 0,
    failures: 0,
    attempts: 0,
    retries: 0,
    hedges: 0,
    timeouts: 0,
    requests: 0,
    sessions: 0,
    frames: 0,
    framedOperations: 0,
    resent: 0,
    bytesSent: 0,
    bytesReceived: 0,
    connections: { opened: 0, failures: 0, open: 0, inUse: 0, streams: 0, totalStreams: 0 }
  }
}
