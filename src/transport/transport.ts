/** The seam between the client's pipeline and the protocols. */
import type { Compression } from '../compression/compression.ts'
import type { TransportName } from '../core/error.ts'
import type { Method } from '../schema/descriptor.ts'
import type { AttemptEvents } from '../telemetry/observed-call.ts'
import type { SessionTransport } from './session-stream.ts'
import type { TransferTransport } from './transfer.ts'

/** One attempt of a call, as a unary request. */
export interface UnaryCall {
  readonly method: Method
  /** The request message. */
  readonly request: object
  /** Headers (gRPC: metadata), by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Tells the observers of the attempt; undefined = it has none. */
  readonly events?: AttemptEvents | undefined
  /** Aborts the request. */
  readonly signal: AbortSignal
  /** Asked before a request that the server refused unprocessed is sent again; without it, it is. */
  mayReplay?(): boolean
  /** The remaining time until the deadline, in milliseconds, which the server is told. */
  remainingMs(): number
}

/** Carries calls to a server. Every error it throws is a `BlobwireError`. */
export interface Transport extends SessionTransport, TransferTransport {
  readonly name: TransportName
  /** The response message, checked against the schema. */
  unary(call: UnaryCall): Promise<object>
  /** Whether a new connection to the server can be had, and the server answers on it. */
  canConnect(): Promise<boolean>
  /** Closes the connections on which nothing is under way. */
  closeIdle(): void
  /** The limits of the connections have changed. */
  limitsChanged?(): void
  /** Closes the connections; calls in flight fail. */
  close(): Promise<void>
}

/** Options of every transport. */
export interface TransportOptions {
  /** Which compressors requests may have, and responses are asked for. */
  readonly compression: Compression
  /** Largest response message that is accepted, after decompression. */
  readonly maxResponseBytes: number
}

/** Messages of unary requests below this are not compressed: gzip adds 18 bytes, and takes time. */
export const compressionThresholdBytes = 1024

/**
 * Frames of a session below this are not compressed. Most of their operations are small: compressing them costs more than
 * half of executing them, and saves no round trip. docs/performance.md has the measurements.
 */
export const sessionCompressionThresholdBytes = 64 * 1024
