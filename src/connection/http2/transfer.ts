/** The seam between the transports and the connections for large blobs. */

/** One request whose body, or whose answer, is large. */
export interface TransferRequest {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Asked for as the connection takes the bytes. Its errors are those of the request. */
  readonly body?: AsyncIterable<Uint8Array> | undefined
  /** Asked after the last chunk of the body; HTTP/2 alone. */
  readonly trailers?: (() => Readonly<Record<string, string>>) | undefined
  /** The body goes on when the answer has begun; it ends when the answer does. */
  readonly isDuplex?: boolean
  /** Ends the request; its reason is then the error. */
  readonly signal: AbortSignal
}

export type TransferHeaders = Readonly<Record<string, string | string[] | undefined>>

/** The answer; it may come before the body of the request was sent, of which then no more is. */
export interface TransferResponse {
  readonly status: number
  readonly headers: TransferHeaders
  /** The body, once, as its reader asks for it. To leave the loop ends the stream. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Ends the stream, because nobody reads the body. */
  discard(): void
  /** After the last chunk. */
  readonly trailers: TransferHeaders
}

/** Makes the request, once it is known which version of HTTP it is for. */
export type TransferMaker = (version: 1 | 2) => TransferRequest
