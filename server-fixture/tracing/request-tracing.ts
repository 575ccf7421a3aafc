/** The spans of a server's requests, without the package that makes them. */
import type { Messages } from '../../src/schema/messages.ts'
import type { CallTransport } from '../metrics/snapshot.ts'

/** A request that has ended. */
export interface TracedRequest {
  readonly transport: CallTransport
  readonly method: string
  readonly requestId: string
  readonly startedAtMs: number
  /** `ok`, or the code of the error. */
  readonly code: string
  readonly reason: string
}

/** A batch of a frame that has ended. */
export interface TracedBatch {
  readonly transport: CallTransport
  readonly requestId: string
  readonly startedAtMs: number
  /** Names of the methods, by the index of their operation. */
  readonly methods: readonly string[]
  readonly results: readonly { readonly result?: Messages['OperationResult'] | undefined }[]
  readonly headersOf: (index: number) => Headers | undefined
}

/** Of a request, or of an operation of a frame. */
export type Headers = Readonly<Record<string, unknown>>

/** Makes spans of requests that have ended, and of batches of frames. */
export interface RequestTracing {
  requestEnded(request: TracedRequest, headers: Headers): void
  /** A batch without any trace context has no spans: its session has one. */
  batchEnded(batch: TracedBatch): void
}
