/** The interface between sessions and the transports that carry them. */
import type { BlobwireError } from '../core/error.ts'
import type { Init, MessageName } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import type { Messages } from '../schema/messages.ts'
import type { SessionFrame } from './session-frame.ts'

/** Name of an operation that can travel on a session: a field of the `Operation` message. */
export type OperationName = keyof Messages['Operation']

/** The request message of each operation. */
export const operationMessages = Object.fromEntries(
  messageDescriptors.Operation.map((field) => [field.name, field.kind === 'message' ? field.type : ''])
) as unknown as Readonly<Record<OperationName, MessageName>>

/** The headers of a session, and the listener of its events. */
export interface SessionOpening {
  /** Headers (gRPC: metadata), by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** The stream is open on a connection. */
  onStart(): void
  /** Results have come, in any order; an empty first message says that the session is established. */
  onResponse(response: Messages['SessionResponse']): void
  /** The connection is draining: send new operations on another session; operations that were sent are still answered. */
  onGoaway(): void
  /** There is room again after `send` returned false. */
  onDrain(): void
  /** Called once, last, with the error that ended the stream; undefined = the server ended it in good order. */
  onEnd(error: BlobwireError | undefined): void
}

/** An open duplex stream. */
export interface SessionStream {
  /** Sends a frame. False = the peer does not keep up: wait for `onDrain` before the next one. */
  send(frame: SessionFrame): boolean
  /** Begins a watch, under an id of its own; `cancel` ends it. */
  watch(id: number, request: Init<Messages['WatchRefsRequest']>): void
  /** Asks the server to cancel operations and watches. */
  cancel(ids: readonly number[]): void
  /** Half-closes the stream; the server answers all operations, and then ends the stream. */
  end(): void
  /** Resets the stream; `onEnd` is not called. */
  destroy(): void
}

/** A transport that has sessions. */
export interface SessionTransport {
  /** Opens a stream; `onEnd` reports failures. */
  openSession(opening: SessionOpening): SessionStream
}
