/** A transfer, the sending or receiving of one large content, as its caller and the runner see it. */
import type { WatchListener } from '../batch/session-watches.ts'
import type { TransportName } from '../core/error.ts'
import type { Init, Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { TransferTransport } from '../transport/transfer.ts'

/** A transfer that has not begun. */
export interface Transfer {
  readonly direction: 'up' | 'down'
  /** For observers. */
  readonly repository?: string | undefined
  /** The client's headers and those of the caller. */
  readonly headers: Readonly<Record<string, string>>
  /** The bearer token; undefined = the client's. */
  readonly token?: string | undefined
  /** The transport that the caller asks for. */
  readonly transport?: TransportName | undefined
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined
  /** For the whole transfer, in milliseconds; undefined = as long as bytes move. */
  readonly timeoutMs?: number | undefined
  /** An attempt in which no byte moves for so long has failed, in milliseconds. */
  readonly stallTimeoutMs: number
}

/** One attempt of a transfer at one endpoint. */
export interface TransferAttempt {
  readonly transport: TransferTransport
  /** With request id and token. */
  readonly headers: Readonly<Record<string, string>>
  /** Ends the attempt; its reason is the error. */
  readonly signal: AbortSignal
  /** A unary request to the same endpoint. @throws BlobwireError */
  unary<Request, Response>(method: Method<Request, Response>, request: Init<Request>): Promise<Response>
  /** Begins a watch at the same endpoint. Returns the function that ends it. @throws BlobwireError */
  watch(request: Init<Messages['WatchRefsRequest']>, listener: WatchListener): () => void
  /** Bytes of content were given to the connection, or came from it. */
  moved(bytes: number): void
  /** The transfer is further than before the attempt, so that failures are counted anew. */
  progressed(): void
  /**
   * The server may be busy for so long from now on, in milliseconds: the connection takes a few bytes meanwhile, and no
   * more. In addition to the time without a byte in which an attempt fails.
   */
  allow(ms: number): void
  /** Waits for the application, its source or its reader, while nobody expects bytes to move. */
  idle<Value>(wait: PromiseLike<Value>): Promise<Value>
}
