/**
 * Requests to an HTTP endpoint by the runtime's `fetch`, for runtimes that open no sockets of their own. Source: Fetch
 * Standard (fetch.spec.whatwg.org).
 */
import { type Endpoint, originOf } from '../endpoint.ts'
import type { HttpAnswer, HttpRequest } from '../http2/http-connection.ts'
import type { TransferMaker, TransferRequest, TransferResponse } from '../http2/transfer.ts'
import { answerBroke, failureOfFetch } from './fetch-errors.ts'
import { isPage } from './page.ts'

/** A request, whose body may also be bytes. */
export type FetchRequest = Omit<TransferRequest, 'body'> & { readonly body?: TransferRequest['body'] | Uint8Array }

/** `RequestInit`, which has no `duplex` in the types of all runtimes. */
interface FetchInit {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array | ReadableStream<Uint8Array>
  readonly duplex?: 'half'
  readonly mode?: 'no-cors'
  readonly redirect?: 'manual'
  readonly signal: AbortSignal
}

const send = (url: string, init: FetchInit) => fetch(url, init as RequestInit)

/** Most time for a look whether the server answers: looks are repeated twice a second. */
const lookTimeoutMs = 2000

/** Browsers set these themselves, or send a preflight request because of them. */
const ofBrowser = ['accept-encoding', 'content-length', 'trailer', 'user-agent']
/** Other runtimes compute these. */
const ofRuntime = ['content-length', 'trailer']

export class FetchConnection {
  readonly endpoint: Endpoint
  readonly #origin: string
  readonly #closing = new AbortController()
  readonly #isPage = isPage()
  /** Bodies may be streams. In browsers, where HTTP/2 carries them: not before it is known whether it does. */
  takesStreams: boolean
  #isAnswered = false
  /** A body that was a stream has arrived. */
  #hasStreamed = false

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint
    this.#origin = originOf(endpoint)
    this.takesStreams = this.#isPage ? endpoint.secure && hasStreamBodies() : true
  }

  /** A request of one call. @throws BlobwireError, and the reason of its signal */
  async request({ path, method, headers, body, signal, onStart }: HttpRequest): Promise<HttpAnswer> {
    onStart?.()
    // The runtime asks for compressed answers, and decompresses them, itself.
    const { 'accept-encoding': _, ...others } = headers as Record<string, string>
    const request = { method, path, headers: others, body, signal } as FetchRequest
    const response = await this.send(request)
    return { statusCode: response.status, headers: response.headers, body: response.chunks }
  }

  /** A request for a large blob. Trailers cannot be had, as over HTTP/1.1. @throws as `send` does */
  async transfer(make: TransferMaker): Promise<TransferResponse> {
    return this.send(make(1))
  }

  /** Resolves with the beginning of the answer. @throws BlobwireError, and the reason of its signal */
  async send({ method, path, headers, body, signal }: FetchRequest): Promise<TransferResponse> {
    const stream = body === undefined || body instanceof Uint8Array ? undefined : new StreamBody(body)
    const init: FetchInit = {
      method,
      headers: without(headers, this.#isPage ? ofBrowser : ofRuntime),
      ...(stream ? { body: stream.readable, duplex: 'half' } : body === undefined ? {} : { body: body as Uint8Array }),
      redirect: 'manual',
      signal
    }
    let response: Response
    try {
      response = await send(this.#origin + path, init)
    } catch (exception) {
      if (signal.aborted) throw signal.reason
      if (stream?.error !== undefined) throw stream.error
      // Over HTTP/1.1, browsers refuse such a body.
      if (stream && this.#isPage && !this.#hasStreamed) this.takesStreams = false
      throw await this.#failureOf(exception)
    }
    this.#isAnswered = true
    if (stream) this.#hasStreamed = true
    const chunks = chunksOf(response, signal)
    return {
      // Browsers hide the status of a redirect.
      status: response.type === 'opaqueredirect' ? 307 : response.status,
      // The body is decompressed.
      headers: without(Object.fromEntries(response.headers), ['content-encoding']),
      chunks,
      discard: () => void response.body?.cancel().catch(() => undefined),
      trailers: {}
    }
  }

  /** Whether the server answers; a browser does not tell what. */
  async canConnect(): Promise<boolean> {
    const signal = AbortSignal.any([AbortSignal.timeout(lookTimeoutMs), this.#closing.signal])
    const mode = this.#isPage ? ({ mode: 'no-cors' } as const) : {}
    try {
      const response = await send(`${this.#origin}/healthz`, { method: 'GET', headers: {}, signal, ...mode })
      await response.body?.cancel()
      return true
    } catch {
      return false
    }
  }

  close(): void {
    this.#closing.abort()
  }

  #failureOf(exception: unknown): Promise<unknown> {
    const look = this.#isPage && !this.#isAnswered ? () => this.#isKeptFromPage() : undefined
    return failureOfFetch(exception, this.endpoint, look)
  }

  /** Whether the server is there, and the browser refuses its answers to this page. */
  async #isKeptFromPage(): Promise<boolean> {
    if (!(await this.canConnect())) return false
    const signal = AbortSignal.any([AbortSignal.timeout(lookTimeoutMs), this.#closing.signal])
    const url = `${this.#origin}/blobwire.v1.VcsService/GetCapabilities`
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: new Uint8Array([123, 125]) }
    const answer = await send(url, { ...init, signal }).catch(() => undefined)
    return answer === undefined && !signal.aborted
  }
}

function without(headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))
}

/** Whether this browser takes streams as bodies: those that do read `duplex`, and give the stream no content type. */
function hasStreamBodies(): boolean {
  let isRead = false
  const init = {
    method: 'POST',
    body: new ReadableStream(),
    get duplex() {
      isRead = true
      return 'half'
    }
  }
  try {
    return !new Request('https://localhost', init as unknown as RequestInit).headers.has('content-type') && isRead
  } catch {
    return false
  }
}

/** A body that is read as the connection takes it. */
class StreamBody {
  readonly readable: ReadableStream<Uint8Array>
  /** Of the source. */
  error: unknown

  constructor(source: AsyncIterable<Uint8Array>) {
    const chunks = source[Symbol.asyncIterator]()
    this.readable = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          for (;;) {
            const { done, value } = await chunks.next()
            if (done) return controller.close()
            // Some runtimes take no empty chunk.
            if (value.length > 0) return controller.enqueue(value)
          }
        } catch (error) {
          this.error = error
          controller.error(error)
        }
      },
      cancel: async () => void (await chunks.return?.())
    })
  }
}

/** The body, once. To leave the loop ends the stream. @throws BlobwireError, and the reason of the signal */
async function* chunksOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  // Not every browser's streams are iterable.
  const reader = body?.getReader()
  if (reader === undefined) return
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((exception: unknown) => {
        isOver = true
        throw signal.aborted ? signal.reason : answerBroke(exception)
      })
      isOver = done
      if (done) return
      yield value
    }
  } finally {
    if (!isOver) void reader.cancel().catch(() => undefined)
  }
}
