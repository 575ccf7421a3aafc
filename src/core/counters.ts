/** The counters of a client, incremented where things happen and read by `client.stats()`. */
/** Connections of a client, counted where they are opened and used. */
export interface ConnectionCounters {
  /** Connections that were opened since the client was made. */
  opened: number
  /** Attempts to open one that failed. */
  failures: number
  /** Connections that are open, those included that only finish what they have begun. */
  open: number
  /** Of these, those with streams in flight. */
  inUse: number
  /** Requests and sessions in flight. */
  streams: number
  /** Requests and sessions since the client was made. */
  totalStreams: number
}

/** What a client has done since it was made. Counted where it happens, read by `client.stats()`. */
export interface Counters {
  /** Calls that were begun; `batch` and `commitFiles` count each call they make. */
  calls: number
  /** Calls that ended in an error. */
  failures: number
  /** Attempts of calls; without a failure as many as calls. */
  attempts: number
  /** Attempts after the first of a call. */
  retries: number
  /** Second attempts of slow reads beside the first. */
  hedges: number
  /** Calls that ended at their deadline, and attempts at their own. */
  timeouts: number
  /** Requests handed to a transport. */
  requests: number
  /** Sessions that were opened, or tried. */
  sessions: number
  /** Frames sent on sessions, and the operations in them. */
  frames: number
  framedOperations: number
  /** Operations sent again because their session had ended. */
  resent: number
  /** Bytes of request messages as sent, without headers and framing; after compression (gRPC: before it). */
  bytesSent: number
  /** Bytes of response messages as received, without headers and framing; before decompression (gRPC: after it). */
  bytesReceived: number
  /** Connections. */
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
