/** One stream of HTTP/2 that carries a large body, to the server or from it. */
import { type ClientHttp2Session, type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { BlobwireError } from '../../core/error.ts'
import { HeldBytes } from '../held-bytes.ts'
import { Turns } from '../turns.ts'
import { requestRefused } from './connection-pool.ts'
import type { TransferHeaders, TransferRequest, TransferResponse } from './transfer.ts'
import type { TransferConnection } from './transfer-connection.ts'

const { NGHTTP2_CANCEL, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

/** Frames that a reader may have been given before it asks for them; a frame has 16 KiB. */
const maxWaitingChunks = 16

const noTrailers: TransferHeaders = {}

/** Sends the request and resolves with the beginning of its answer. Calls `connection.end` once, when the stream is over. */
export function openTransferStream(
  session: ClientHttp2Session,
  connection: TransferConnection,
  request: TransferRequest
): Promise<TransferResponse> {
  try {
    return new TransferStream(session, connection, request).response
  } catch (error) {
    // A session that has had a GOAWAY, or was closed, since it was chosen opens no stream.
    connection.drain()
    connection.end()
    throw session.closed || session.destroyed ? requestRefused(error as Error) : error
  }
}

class TransferStream implements TransferResponse {
  readonly response: Promise<TransferResponse>
  readonly #stream: ClientHttp2Stream
  readonly #connection: TransferConnection
  readonly #request: TransferRequest
  readonly #answer = Promise.withResolvers<TransferResponse>()
  status = 0
  headers: TransferHeaders = {}
  trailers = noTrailers
  #source: AsyncIterator<Uint8Array> | undefined
  readonly #held = new HeldBytes()
  readonly #turns = new Turns()
  #isSending = false
  #isOver = false
  /** Of the source, of the signal or of the stream: the first one. */
  #error: unknown

  constructor(session: ClientHttp2Session, connection: TransferConnection, request: TransferRequest) {
    this.#connection = connection
    this.#request = request
    this.response = this.#answer.promise
    const { method, path, headers, body, trailers, signal } = request
    this.#stream = session.request(
      { ...headers, ':method': method, ':path': path },
      { endStream: body === undefined, waitForTrailers: trailers !== undefined }
    )
    this.#stream
      .on('response', (received) => this.#answered(received))
      .on('trailers', (received) => {
        this.trailers = received
      })
      .on('wantTrailers', () => {
        if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers({ ...trailers?.() })
      })
      .on('error', (error) => {
        this.#error ??= error
      })
      .once('close', () => this.#end())
    signal.addEventListener('abort', this.#abort)
    if (signal.aborted) this.#abort()
    else if (body !== undefined) this.#send(body)
  }

  readonly chunks: AsyncIterable<Uint8Array> = { [Symbol.asyncIterator]: () => this.#read() }

  /**
   * The chunks as they come: Node's own iterator copies all that waits into one, and fails at the end of a stream that had
   * ended before it was read. A stream that was cut ends like one that ended in good order, but for its code; readers of
   * blobs count bytes besides.
   */
  async *#read(): AsyncGenerator<Uint8Array, void> {
    const stream = this.#stream
    const waiting: Uint8Array[] = []
    let wake = () => {}
    const onEvent = () => wake()
    stream.on('data', (chunk: Uint8Array) => {
      waiting.push(chunk)
      // Node hands over what it has, and holds what comes later, up to the window.
      if (waiting.length >= maxWaitingChunks) stream.pause()
      wake()
    })
    stream.on('end', onEvent).on('close', onEvent)
    try {
      for (;;) {
        for (const chunk of waiting.splice(0)) {
          yield chunk
          await this.#turns.pass(chunk.length)
        }
        if (waiting.length > 0) continue
        if (stream.readableEnded || stream.destroyed) break
        await new Promise<void>((resolve) => {
          wake = resolve
          stream.resume()
        })
      }
      if (!stream.readableEnded || stream.rstCode !== NGHTTP2_NO_ERROR) throw this.#failure()
    } finally {
      this.discard()
    }
  }

  discard(): void {
    this.#end()
    this.#reset()
  }

  #answered(received: IncomingHttpHeaders): void {
    if (this.#isOver) return
    const { ':status': status, ...headers } = received
    this.status = Number(status)
    this.headers = headers
    this.#connection.answered(true)
    // A server that has answered reads no more.
    if (!this.#request.isDuplex) this.#stopSending()
    this.#answer.resolve(this)
  }

  async #send(body: AsyncIterable<Uint8Array>): Promise<void> {
    this.#isSending = true
    try {
      const source = body[Symbol.asyncIterator]()
      this.#source = source
      for (;;) {
        const { done, value } = await source.next()
        if (!this.#isSending) return
        if (done) break
        await this.#write(value)
        await this.#turns.pass(value.length)
        if (!this.#isSending) return
      }
      this.#isSending = false
      this.#stream.end()
    } catch (error) {
      if (!this.#isSending) return
      this.#isSending = false
      this.#fail(error)
    }
  }

  /** Waits for the kernel and the windows of the server. */
  #write(chunk: Uint8Array): Promise<void> | undefined {
    const room = this.#held.add(chunk.length)
    this.#stream.write(chunk, () => this.#held.taken(chunk.length))
    return room
  }

  #stopSending(): void {
    if (!this.#isSending) return
    this.#isSending = false
    this.#held.stop()
    this.#source?.return?.().catch(() => undefined)
  }

  readonly #abort = () => {
    const { reason } = this.#request.signal
    if (reason instanceof BlobwireError && reason.code === 'deadline_exceeded') this.#connection.suspect()
    this.#fail(reason)
  }

  #fail(error: unknown): void {
    this.#error ??= error
    this.discard()
  }

  /** Not at once: nghttp2 keeps a stream open that is reset while its own bytes are being read (Node 26). */
  #reset(): void {
    setImmediate(() => {
      if (!this.#stream.closed) this.#stream.close(NGHTTP2_CANCEL)
      this.#stream.destroy()
    })
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#request.signal.removeEventListener('abort', this.#abort)
    this.#stopSending()
    if (this.status === 0) {
      if (!isOwn(this.#error)) this.#connection.answered(false)
      this.#answer.reject(this.#failure())
    }
    this.#connection.end()
  }

  /** The error of a stream that is broken. */
  #failure(): unknown {
    const { rstCode } = this.#stream
    if (rstCode === NGHTTP2_REFUSED_STREAM) return requestRefused()
    if (isOwn(this.#error)) return this.#error
    const message = rstCode ? `the stream was reset (RST_STREAM with code ${rstCode})` : 'the stream broke off'
    return this.#connection.error ?? Object.assign(new Error(message), { code: 'ERR_HTTP2_STREAM_ERROR' })
  }
}

/** Whether an error is of the source or the signal; those of node:http2 say less than the connection does. */
function isOwn(error: unknown): boolean {
  return error !== undefined && !/^ERR_(HTTP2|STREAM)/.test(String((error as { code?: unknown } | null)?.code))
}
