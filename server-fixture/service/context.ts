/** A caller, and the context of one call. */
import { randomUUID } from 'node:crypto'
import { BlobwireError } from '../../src/core/error.ts'

/** A right to a repository. */
export type Access = 'read' | 'write'

/** An authenticated caller. */
export interface Principal {
  /** When the rights end, as `Date.now()` tells time; undefined = never. */
  readonly expiresAtMs?: number | undefined
  /** Whether the caller has this right to the repository. The right to write includes the right to read. */
  may(access: Access, repository: string): boolean
  /** Of the caller's token, for the access log; undefined = the caller needs none. */
  readonly name?: string | undefined
}

/** The context of a call or of a frame of a session. */
export interface CallContext {
  readonly principal: Principal
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
  readonly requestId: string
  /** When the call or frame arrived, as `performance.now()` tells time; undefined = now. */
  readonly receivedAtMs?: number | undefined
  /** Until when the caller waits; undefined = the caller did not say. */
  readonly deadlineMs?: number | undefined
  /**
   * Called before each operation of a batch, with its index. An error that it throws becomes the result of this
   * operation alone: cancelled operations and injected faults use it.
   */
  readonly beforeOperation?: ((index: number) => void) | undefined
  /** The headers that the operation with this index has besides those of its session, by lower-case name. */
  readonly headersOf?: ((index: number) => OperationHeaders | undefined) | undefined
}

/** Headers of one operation of a frame. */
export type OperationHeaders = Readonly<Record<string, string>>

/** The request id of an operation: its own header's, or that of its call or session. */
export function requestIdOfOperation(
  { requestId, headersOf }: Pick<CallContext, 'requestId' | 'headersOf'>,
  index: number
): string {
  const own = headersOf?.(index)?.['x-request-id']
  return own === undefined ? requestId : requestIdOf(own)
}

/** Refuses an effect that nobody waits for. @throws BlobwireError `cancelled` or `deadline_exceeded` */
export function throwIfAbandoned({ signal, deadlineMs }: Pick<CallContext, 'signal' | 'deadlineMs'>): void {
  if (deadlineMs !== undefined && performance.now() >= deadlineMs) {
    throw new BlobwireError({ code: 'deadline_exceeded', message: 'the deadline of the call has passed' })
  }
  if (signal.aborted) {
    throw new BlobwireError({ code: 'cancelled', message: 'the client no longer waits for the answer' })
  }
}

/** The client's `x-request-id` where it is harmless to log, else a new id. */
export function requestIdOf(header: string | undefined): string {
  return header !== undefined && /^[\x21-\x7e]{1,128}$/.test(header) ? header : randomUUID()
}
