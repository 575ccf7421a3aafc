/** The seam between the client's pipeline and the protocols. */
import type { TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import type { SessionTransport } from './session-stream.ts'

/** A call as a request of its own. */
export interface UnaryCall {
  readonly method: Method
  /** The request message. */
  readonly request: object
  /** Headers (gRPC: metadata), by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  /** What is left of the deadline when this is asked, in milliseconds; the server is told. */
  remainingMs(): number
}

/** Carries calls to a server. Every error it throws is a `BlobwireError`. */
export interface Transport extends SessionTransport {
  readonly name: TransportName
  /** The response message, checked against the schema. */
  unary(call: UnaryCall): Promise<object>
  /** Lets go of sockets; calls in flight fail. */
  close(): Promise<void>
}

/** What every transport needs to know. */
export interface TransportOptions {
  /** Requests are compressed, and compressed responses asked for. */
  readonly gzip: boolean
  /** Largest response message that is accepted, after decompression. */
  readonly maxResponseBytes: number
}

/** Messages of single calls below this stay as they are: gzip's own 18 bytes and the time would not pay. */
export const gzipThresholdBytes = 1024

/**
 * The same for frames of a session. A frame below this is mostly small operations: compressing it costs more than half
 * as much as carrying them out, and saves no round trip. docs/performance.md has the measurements.
 */
export const sessionGzipThresholdBytes = 64 * 1024
