/** Endpoints: the URLs that users give, read and written. */
import { show } from '../core/check-options.ts'
import { invalidArgument } from '../core/error.ts'

/** The address of a server. */
export interface Endpoint {
  /** `http` speaks the HTTP form (JSON, MessagePack), `grpc` speaks gRPC. */
  readonly protocol: 'http' | 'grpc'
  readonly secure: boolean
  readonly hostname: string
  readonly port: number
  /** The one address of the name that connections go to; undefined = any. All else is that of the name. */
  readonly address?: string | undefined
}

const schemes: Readonly<Record<string, Pick<Endpoint, 'protocol' | 'secure'>>> = {
  'http:': { protocol: 'http', secure: false },
  'https:': { protocol: 'http', secure: true },
  'grpc:': { protocol: 'grpc', secure: false },
  'grpcs:': { protocol: 'grpc', secure: true }
}

const allowed = 'must be http://host[:port], https://host[:port], grpc://host:port or grpcs://host:port'

/** A host, perhaps with a port, without a scheme. */
const hostForm = /^[A-Za-z0-9.-]+(:\d+)?$/

/**
 * Reads `http(s)://host[:port]` or `grpc(s)://host:port`.
 * @throws BlobwireError `invalid_argument` for other schemes, credentials, a path, a query or a fragment
 */
export function parseEndpoint(text: string): Endpoint {
  const fail = (hint = '') => invalidArgument('endpoint', `${allowed}, not ${shown(text)}${hint && `; ${hint}`}`)
  if (typeof text !== 'string') throw fail((text as unknown) instanceof URL ? 'use url.href' : '')
  if (!URL.canParse(text)) throw fail(hostForm.test(text) ? `did you mean ${JSON.stringify(`http://${text}`)}?` : '')
  const url = new URL(text)
  const scheme = schemes[url.protocol]
  if (scheme === undefined) throw fail(hostForm.test(text) ? `did you mean ${JSON.stringify(`http://${text}`)}?` : '')
  if (url.hostname === '') throw fail()
  if (url.username !== '' || url.password !== '') throw fail('credentials go into the option token')
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    throw fail('an endpoint has no path: a proxy in front of the server must pass every path on')
  }
  if (url.port === '' && scheme.protocol === 'grpc') throw fail('gRPC has no default port')
  const port = url.port === '' ? (scheme.secure ? 443 : 80) : Number(url.port)
  return { ...scheme, hostname: url.hostname, port }
}

/** The host as `node:net` takes it, without the brackets of IPv6 addresses. */
export function hostOf({ hostname }: { readonly hostname: string }): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** `host:port`, with IPv6 addresses in brackets. */
export function authorityOf({ hostname, port }: Pick<Endpoint, 'hostname' | 'port'>): string {
  return `${hostname}:${port}`
}

/** The same of the address that connections go to. */
export function dialledAuthorityOf({ hostname, port, address }: Endpoint): string {
  if (address === undefined) return authorityOf({ hostname, port })
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** `http(s)://host:port`. */
export function originOf(endpoint: Endpoint): string {
  return `${endpoint.secure ? 'https' : 'http'}://${authorityOf(endpoint)}`
}

/** Error messages end up in logs, and a mistaken URL may hold a password. */
function shown(value: unknown): string {
  return typeof value === 'string' ? show(value.replace(/\/\/[^/]*@/, '//…@')) : show(value)
}
