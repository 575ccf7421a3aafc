import type { BlobwireError } from '../core/error.ts'
import type { MessageName } from '../schema/descriptor.ts'
import { messageDescriptors } from '../schema/descriptors.ts'
import type { Messages } from '../schema/messages.ts'
import type { SessionFrame } from './session-frame.ts'

/** Name of what can travel on a session: the fields of the `Operation` message. */
export type OperationName = keyof Messages['Operation']

/** The request message of each. */
export const operationMessages = Object.fromEntries(
  messageDescriptors.Operation.map((field) => [field.name, 'type' in field ? field.type : ''])
) as unknown as Readonly<Record<OperationName, MessageName>>

/** What comes back on a session, and where its headers come from. */
export interface SessionOpening {
  /** Headers (gRPC: metadata), by lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** The request is on a connection. */
  onStart(): void
  /** Results, in whatever order; the first message may be empty and says that the session stands. */
  onResponse(response: Messages['SessionResponse']): void
  /** Its connection takes nothing new: what comes is to be sent on another session, what was sent is still answered. */
  onGoaway(): void
  /** Room again after `send` said that there is none. */
  onDrain(): void
  /** Called once, last: with the error that ended the stream, or without one where the server ended it in good order. */
  onEnd(error: BlobwireError | undefined): void
}

/** An open duplex stream. */
export interface SessionStream {
  /** Sends a frame. False = the peer does not keep up: hold the next one back until `onDrain`. */
  send(frame: SessionFrame): boolean
  /** Asks the server to stop operations. */
  cancel(ids: readonly number[]): void
  /** Says that nothing more comes; the server answers what it has, and ends. */
  end(): void
  /** Lets go at once; `onEnd` is not called any more. */
  destroy(): void
}

/** What a transport that has sessions can do. */
export interface SessionTransport {
  /** Opens a stream; failures come to `onEnd`. */
  openSession(opening: SessionOpening): SessionStream
}
