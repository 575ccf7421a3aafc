/**
 * Pages of other origins, as the operator lists them. Source: WHATWG Fetch, "CORS protocol".
 *
 * The server knows no cookies, and never allows credentials: scripts send the token themselves, in `Authorization`.
 */
import type { OutgoingHttpHeaders } from 'node:http'
import { BlobwireError } from '../../src/core/error.ts'
import type { CorsOptions } from '../cors-options.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** The origins that are allowed, checked. */
export interface Cors {
  readonly isAny: boolean
  readonly origins: ReadonlySet<string>
}

/** Chromium keeps the answer to a preflight no longer than this. */
const maxAgeSeconds = 7200
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** The headers of answers that scripts may read besides the safelisted ones, such as Content-Type. */
const exposedHeaders = [
  'accept-encoding',
  'accept-patch',
  'accept-post',
  'accept-ranges',
  'allow',
  'blobwire-oid',
  'connect-accept-encoding',
  'connect-content-encoding',
  'content-digest',
  'content-encoding',
  'content-range',
  'etag',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-retry-pushback-ms',
  'grpc-status',
  'grpc-status-details-bin',
  'location',
  'retry-after',
  'server-timing',
  'upload-complete',
  'upload-length',
  'upload-limit',
  'upload-offset',
  'www-authenticate',
  'x-request-id'
].join(', ')

/** Names of headers (RFC 9110 section 5.6.2) in a list, of a length that no browser exceeds. */
const headerNames = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+(?: *, *[!#$%&'*+.^_`|~0-9A-Za-z-]+)*$/
const maxHeaderNamesLength = 4096

/** @throws RangeError for an origin that no browser sends */
export function readCors({ origins }: CorsOptions): Cors {
  for (const origin of origins) {
    const problem = origin === '*' && origins.length > 1 ? 'must stand alone' : problemOf(origin)
    if (problem) throw new RangeError(`cors origin ${JSON.stringify(origin)}: ${problem}`)
  }
  return { isAny: origins.includes('*'), origins: new Set(origins) }
}

function problemOf(origin: string): string | undefined {
  if (origin === '*') return undefined
  const form = 'must be scheme://host or scheme://host:port, such as https://app.example, or * alone'
  // `null` is the origin of any sandboxed page, and of files. Applications have schemes of their own (tauri, app).
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@*,\s]+$/.test(origin)) return form
  if (!/^https?:/.test(origin)) return undefined
  const normal = URL.canParse(origin) ? new URL(origin).origin : undefined
  if (normal === undefined) return form
  return normal === origin ? undefined : `must be ${normal}, as browsers send it`
}

const allows = ({ isAny, origins }: Cors, origin: string) => isAny || origins.has(origin)

/**
 * Refuses a request of a page that may not use the server. Browsers send some that write without asking before (forms, and
 * `fetch` with the content type of one), and only keep the answer from the page.
 * @throws BlobwireError `permission_denied`
 */
export function refuseForeignPage(exchange: Exchange, cors: Cors | undefined): void {
  const origin = headerOf(exchange, 'origin')
  if (origin === undefined || (cors && allows(cors, origin)) || isOwnPage(exchange, origin)) return
  const message = `pages of ${JSON.stringify(origin.slice(0, 100))} may not use this server; --cors-origins names those that may`
  throw new BlobwireError({ code: 'permission_denied', message })
}

/** A proxy may change the host; browsers tell the truth about both (W3C "Fetch Metadata"), but not over plain HTTP. */
function isOwnPage(exchange: Exchange, origin: string): boolean {
  const site = headerOf(exchange, 'sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const host = headerOf(exchange, ':authority') ?? headerOf(exchange, 'host')
  return host !== undefined && origin.replace(/^https?:\/\//, '') === host.toLowerCase()
}

/**
 * The exchange with the headers of CORS on its answer, for the origins that are allowed. Undefined = it was a preflight,
 * which is answered.
 */
export function withCors(exchange: Exchange, cors: Cors): Exchange | undefined {
  const { isAny } = cors
  const origin = headerOf(exchange, 'origin')
  const isAllowed = origin !== undefined && allows(cors, origin)
  const allowed = isAllowed ? { 'access-control-allow-origin': isAny ? '*' : origin } : {}
  if (isAllowed && isPreflight(exchange)) {
    exchange.record.method = 'Options'
    exchange.respond(204, { ...allowed, ...preflightHeaders(exchange), vary: preflightVary(isAny) })
    return undefined
  }
  const exposed = isAllowed ? { 'access-control-expose-headers': exposedHeaders } : {}
  return withHeaders(exchange, (headers) => ({
    ...headers,
    ...allowed,
    ...exposed,
    // Answers without `Origin`, too: a cache would give them to pages.
    ...(isAny ? {} : { vary: joined(headers['vary'], 'origin') })
  }))
}

function isPreflight(exchange: Exchange): boolean {
  return exchange.method === 'OPTIONS' && headerOf(exchange, 'access-control-request-method') !== undefined
}

function preflightHeaders(exchange: Exchange): OutgoingHttpHeaders {
  const asked = headerOf(exchange, 'access-control-request-headers') ?? ''
  const isNamed = asked.length <= maxHeaderNamesLength && headerNames.test(asked)
  return {
    'access-control-allow-methods': allowedMethods,
    // Interceptors send headers of their own, and `*` would leave out Authorization.
    ...(isNamed ? { 'access-control-allow-headers': asked } : {}),
    'access-control-max-age': String(maxAgeSeconds)
  }
}

const preflightVary = (isAny: boolean) => joined(isAny ? undefined : 'origin', 'access-control-request-headers')

function joined(one: OutgoingHttpHeaders[string], other: string): string {
  return one === undefined ? other : `${one}, ${other}`
}

function withHeaders(exchange: Exchange, headersOf: (headers: OutgoingHttpHeaders) => OutgoingHttpHeaders): Exchange {
  const changed: Pick<Exchange, 'respond' | 'open' | 'stream'> = {
    respond: (status, headers, body) => exchange.respond(status, headersOf(headers), body),
    open: (status, headers, trailers) => exchange.open(status, headersOf(headers), trailers),
    stream: (status, headers, trailers) => exchange.stream(status, headersOf(headers), trailers)
  }
  // Of the same exchange, whose state is read through it.
  return Object.assign(Object.create(exchange), changed)
}
