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

/**
 * Attempts of calls that were sent as requests of their own although the client gathers calls, by reason. Calls that are
 * gathered into unary requests because there is no session are not counted here: see `batching` and `noSessionReason`.
 */
export interface UnframedCounters {
  /** The RPC is no operation: creating, deleting and listing repositories, capabilities. */
  method: number
  /** Atomic batches. */
  atomic: number
  /** The operation with its headers is larger than `maxBatchBytes`. */
  tooLarge: number
  /**
   * A request interceptor removed a header of the client's, or set one that the protocol itself uses; or the server is of
   * a version that takes no headers in frames.
   */
  headers: number
  /** Calls with tokens of their own of which too many were in use at the same time. */
  tokens: number
}

/** Uploads and downloads: content that travels as a stream of its own. */
export interface TransferCounters {
  /** Transfers started. */
  started: number
  /** Transfers that failed. */
  failures: number
  /** Attempts after the first of a transfer. */
  retries: number
  /** Bytes of content given to connections, those sent again included. */
  bytesSent: number
  /** Bytes of content received. */
  bytesReceived: number
}

/** Counts since the client was created. */
export interface Counters {
  /** Calls started. `batch` and `commitFiles` count as the calls that they make. */
  calls: number
  /** Calls that failed. */
  failures: number
  /** Calls of background priority that failed to make room for others (reason `shed`). */
  shed: number
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
  /** Attempts that were not sent in a frame, by reason. */
  unframed: UnframedCounters
  /** Operations sent again because their session ended. */
  resent: number
  /** Bytes of request messages, without headers and framing, after compression (gRPC: before compression). */
  bytesSent: number
  /** Bytes of response messages, without headers and framing, before decompression (gRPC: after decompression). */
  bytesReceived: number
  /** `bytesSent` as it would be without compression. */
  uncompressedBytesSent: number
  /** `bytesReceived` as it would be without compression. */
  uncompressedBytesReceived: number
  /** Counts of uploads and downloads, which the counts above leave out. */
  transfers: TransferCounters
  /** Counts of connections. */
  connections: ConnectionCounters
  /** Of the connections for large blobs, which the counts above leave out. */
  transferConnections: ConnectionCounters
}

/** All at zero. */
export function newCounters(): Counters {
  return {
    calls: 0,
    failures: 0,
    shed: 0,
    attempts: 0,
    retries: 0,
    hedges: 0,
    timeouts: 0,
    requests: 0,
    sessions: 0,
    frames: 0,
    framedOperations: 0,
    unframed: { method: 0, atomic: 0, tooLarge: 0, headers: 0, tokens: 0 },
    resent: 0,
    bytesSent: 0,
    bytesReceived: 0,
    uncompressedBytesSent: 0,
    uncompressedBytesReceived: 0,
    transfers: { started: 0, failures: 0, retries: 0, bytesSent: 0, bytesReceived: 0 },
    connections: newConnectionCounters(),
    transferConnections: newConnectionCounters()
  }
}

function newConnectionCounters(): ConnectionCounters {
  return { opened: 0, failures: 0, open: 0, inUse: 0, streams: 0, totalStreams: 0 }
}
