/** HTTP proxies: the proxy that an option or the environment names, and tunnels through it. */
import type { Socket } from 'node:net'
import { systemClock } from '../../core/clock.ts'
import { BlobwireError } from '../../core/error.ts'
import { authorityOf, type Endpoint, hostOf } from '../endpoint.ts'

/** The address of an HTTP proxy. */
export interface ProxyAddress {
  readonly secure: boolean
  readonly hostname: string
  readonly port: number
  /** `user:password`; undefined = none. */
  readonly credentials: string | undefined
}

/** Most bytes of a proxy's answer to CONNECT, which is a few lines. */
const maxAnswerBytes = 16 * 1024

/** Environment variables; tests pass their own. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The proxy for an endpoint by the option `proxy`, which was checked before; undefined = no proxy. */
export function proxyFor(
  option: string | undefined,
  endpoint: Endpoint,
  environment: Environment = process.env
): ProxyAddress | undefined {
  if (option === undefined) return undefined
  if (option !== 'environment') return parseProxy(option)
  // As curl does, http_proxy is read in lower case only: in a CGI program, HTTP_PROXY holds the request header `Proxy:`
  // (RFC 3875 section 4.1.18), which the sender of the request chooses. See https://httpoxy.org.
  const named = endpoint.secure ? (environment['https_proxy'] ?? environment['HTTPS_PROXY']) : environment['http_proxy']
  const url = named || environment['all_proxy'] || environment['ALL_PROXY']
  const exceptions = environment['no_proxy'] ?? environment['NO_PROXY'] ?? ''
  return !url || isExcepted(endpoint, exceptions) ? undefined : parseProxy(url.includes('://') ? url : `http://${url}`)
}

function parseProxy(text: string): ProxyAddress {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    // Only the environment gets here; its text may hold a password.
    const message =
      'connection.proxy: https_proxy, http_proxy or all_proxy in the environment must be an http(s):// URL'
    throw new BlobwireError({ code: 'invalid_argument', message })
  }
  const { protocol, hostname, port, username, password } = new URL(text)
  const secure = protocol === 'https:'
  const credentials =
    username || password ? `${decodeURIComponent(username)}:${decodeURIComponent(password)}` : undefined
  return { secure, hostname, port: port === '' ? (secure ? 443 : 80) : Number(port), credentials }
}

/** Whether `no_proxy` excepts the endpoint, by curl's rules: each name with its subdomains, with or without a port, or `*`. */
function isExcepted(endpoint: Endpoint, exceptions: string): boolean {
  const host = hostOf(endpoint).toLowerCase()
  return exceptions.split(/[\s,]+/).some((text) => {
    const entry = text.toLowerCase()
    if (entry === '') return false
    if (entry === '*') return true
    const [, bracketed, unbracketed = '', port] = /^(?:\[(.*)\]|([^:]*|.*:.*:.*?))(?::(\d+))?$/.exec(entry) ?? []
    if (port !== undefined && Number(port) !== endpoint.port) return false
    const name = (bracketed ?? unbracketed).replace(/^\*?\./, '')
    return name !== '' && (host === name || host.endsWith(`.${name}`))
  })
}

/** The problem with an answer to CONNECT; the status is NaN where the answer is not HTTP. */
function problemOf(status: number): string {
  if (status === 407)
    return 'status 407 for CONNECT: it asks for credentials (connection.proxy: http://user:password@…)'
  if (status === 403) return 'status 403 for CONNECT: it does not let connections to this host and port pass'
  return status
    ? `status ${status} for CONNECT`
    : 'the answer to CONNECT is not HTTP; is this the address of an HTTP proxy?'
}

/**
 * Opens a tunnel to the endpoint (RFC 9110 section 9.3.6). The proxy sees no header of a call, in particular no token.
 * @throws BlobwireError `unavailable`, reason `proxy`; not retryable where the proxy refuses the tunnel
 */
export function openTunnel(socket: Socket, endpoint: Endpoint, proxy: ProxyAddress, timeoutMs: number): Promise<void> {
  const authority = authorityOf(endpoint)
  const { credentials } = proxy
  const basic = credentials && `proxy-authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0)
    const late = () => fail(`no answer to CONNECT within ${Math.round(timeoutMs)} ms`, true)
    const cancel = systemClock.schedule(timeoutMs, late)
    const end = () => {
      cancel()
      socket.off('readable', read).off('error', broken).off('close', broken)
    }
    const fail = (problem: string, retryable: boolean) => {
      end()
      socket.on('error', () => undefined).destroy()
      const message = `proxy ${proxy.hostname}:${proxy.port}: ${problem}`
      reject(new BlobwireError({ reason: 'proxy', message, sent: 'never', retryable }))
    }
    const broken = () =>
      fail('the connection ended before the answer to CONNECT; is this the address of an HTTP proxy?', true)
    const read = () => {
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) answer = Buffer.concat([answer, chunk])
      const headEnd = answer.indexOf('\r\n\r\n')
      if (headEnd < 0 && answer.length > maxAnswerBytes)
        return fail(`the answer to CONNECT is longer than ${maxAnswerBytes} bytes`, false)
      if (headEnd < 0) return
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(answer.toString('latin1', 0, 20))?.[1])
      if (!(status >= 200 && status < 300)) {
        return fail(problemOf(status), status >= 500)
      }
      end()
      const rest = answer.subarray(headEnd + 4)
      if (rest.length > 0) socket.unshift(rest)
      resolve()
    }
    socket.on('readable', read).once('error', broken).once('close', broken)
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nhost: ${authority}\r\n${basic ?? ''}\r\n`)
  })
}
