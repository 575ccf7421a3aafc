/** The connections to a destination, and one attempt on them. */
import { authorityOf, type Endpoint } from '../connection/endpoint.ts'
import { type HttpConnection, openHttpConnection } from '../connection/http2/http-connection.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import { BlobwireError } from '../core/error.ts'
import { errorFromException } from '../transport/errors.ts'
import type { GuardedUrl } from './guard.ts'
import type { ResolvedSenderOptions } from './options.ts'

/** Bytes of an answer that are read, so that the connection can be used again; beyond, it is closed. */
const maxAnswerBytes = 64 * 1024

/** Redirects that keep method and body (RFC 9110 sections 15.4.8 and 15.4.9). */
const keepingRedirects = [307, 308]

/** The dependencies of a receiver. */
export interface ReceiverContext {
  readonly options: ResolvedSenderOptions
  readonly clock: Clock
  readonly counters: Pick<Counters, 'connections' | 'transferConnections'>
}

/** A request, which is made once: no layer below repeats it. */
export interface Post {
  readonly url: GuardedUrl
  readonly headers: Readonly<Record<string, string>>
  /** Headers for the destination's own origin alone. */
  readonly ownHeaders: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly timeoutMs: number
}

/** The answer of a receiver. */
export interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  /** Settles when the connection is free again, within the time limit; never rejects. */
  readonly whenFree: Promise<void>
}

/** One destination's connections; those of its redirects are opened for each. */
export class Receiver {
  readonly #context: ReceiverContext
  readonly #connections: number
  readonly #attempts = new Set<AbortController>()
  #connection: Connection | undefined

  /** `connections` = most connections of HTTP/1.1. */
  constructor(context: ReceiverContext, connections: number) {
    this.#context = context
    this.#connections = connections
  }

  /** Makes one attempt. @throws BlobwireError where there is no answer within the time limit */
  async post(post: Post): Promise<Answer> {
    const { clock } = this.#context
    const controller = new AbortController()
    this.#attempts.add(controller)
    const cancel = clock.schedule(post.timeoutMs, () => controller.abort(timedOut(post.timeoutMs)))
    const end = () => {
      cancel()
      this.#attempts.delete(controller)
    }
    try {
      const answer = await this.#follow(post, controller.signal)
      return { ...answer, whenFree: answer.whenFree.finally(end) }
    } catch (error) {
      end()
      throw errorFromException(error)
    }
  }

  /** Closes the connections; attempts under way fail with `cancelled`. */
  async close(): Promise<void> {
    for (const controller of this.#attempts) controller.abort(closed())
    await this.#connection?.http.close()
  }

  async #follow(post: Post, signal: AbortSignal): Promise<Answer> {
    let { url } = post
    const origin = originOf(url)
    for (let redirects = 0; ; redirects++) {
      const isOwn = originOf(url) === origin
      const connection = isOwn ? this.#own(url) : this.#open(url, true)
      connection.requests++
      const headers = isOwn ? { ...post.ownHeaders, ...post.headers } : post.headers
      const answer = await send(connection.http, { url, headers, body: post.body, signal }).catch((error) => {
        release(connection)
        throw error
      })
      const whenFree = answer.whenFree.finally(() => release(connection))
      const { location, status } = answer
      const isFinal = !keepingRedirects.includes(status) || redirects >= this.#context.options.redirects
      if (isFinal) return { ...answer, whenFree }
      url = this.#target(location, url)
      await whenFree
    }
  }

  #target(location: string | undefined, from: GuardedUrl): GuardedUrl {
    const base = originOf(from) + from.path
    const text = location !== undefined && URL.canParse(location, base) ? new URL(location, base).href : undefined
    const url = this.#context.options.guard.checkUrl('location', text)
    if (url.secure || !from.secure) return url
    throw new BlobwireError({ reason: 'redirect_refused', message: 'the receiver redirects from https:// to http://' })
  }

  #own(url: GuardedUrl): Connection {
    if (this.#connection?.origin !== originOf(url)) {
      const before = this.#connection
      this.#connection = this.#open(url, false)
      if (before) leave(before)
    }
    return this.#connection
  }

  #open(url: GuardedUrl, isLeft: boolean): Connection {
    const { options, counters } = this.#context
    const { tls, connection, guard } = options
    const rules = { tls, connection, guard, http1Connections: this.#connections, cleartextHttp1: true }
    return { origin: originOf(url), http: openHttpConnection(endpointOf(url), rules, counters), requests: 0, isLeft }
  }
}

/** The connections to one origin. */
interface Connection {
  readonly origin: string
  readonly http: HttpConnection
  /** Requests under way. */
  requests: number
  /** No further attempt uses it: the last request closes it. */
  isLeft: boolean
}

function leave(connection: Connection): void {
  connection.isLeft = true
  if (connection.requests === 0) connection.http.close().catch(() => undefined)
}

function release(connection: Connection): void {
  connection.requests--
  if (connection.isLeft) leave(connection)
}

interface Request {
  readonly url: GuardedUrl
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly signal: AbortSignal
}

async function send(
  http: HttpConnection,
  { url, headers, body, signal }: Request
): Promise<Answer & { readonly location: string | undefined }> {
  const { path } = url
  const response = await http.request({ path, method: 'POST', headers, body, signal, mayReplay: () => false })
  return {
    status: response.statusCode,
    retryAfter: single(response.headers['retry-after']),
    location: single(response.headers['location']),
    // The status is the answer. The body is read for the sake of the connection, and nobody is shown it: it may be that of
    // a machine that the receiver cannot reach itself.
    whenFree: response.body.dump({ limit: maxAnswerBytes, signal }).catch(() => undefined)
  }
}

const endpointOf = ({ secure, hostname, port }: GuardedUrl): Endpoint => ({ protocol: 'http', secure, hostname, port })

const originOf = (url: GuardedUrl) => `${url.secure ? 'https' : 'http'}://${authorityOf(endpointOf(url))}`

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

function timedOut(timeoutMs: number): BlobwireError {
  const message = `no answer of the receiver within ${timeoutMs} ms`
  return new BlobwireError({ reason: 'attempt_timeout', message, sent: 'maybe' })
}

/** The sender closes; the attempt tells nothing about the destination. */
export function closed(): BlobwireError {
  return new BlobwireError({ reason: 'client_closed', message: 'the sender of webhooks was closed', sent: 'maybe' })
}
