/** Opens sockets: TCP, the proxy's tunnel and TLS, each with a time limit of its own. */
import { connect as connectTcp, isIP, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { failureMessage } from '../../core/advice.ts'
import { systemClock } from '../../core/clock.ts'
import { failureFromErrno } from '../../core/errno.ts'
import { BlobwireError } from '../../core/error.ts'
import type { ResolvedConnectionOptions, TlsOptions } from '../../options/types.ts'
import { type Endpoint, hostOf } from '../endpoint.ts'
import { unheld } from '../unheld.ts'
import { type AddressGuard, checkAddress, guardedLookup, literalAddress, type Target } from './address-guard.ts'
import { openTunnel, type ProxyAddress } from './proxy.ts'
import { secureContext } from './tls.ts'

/** The dependencies of a connector. */
export interface ConnectorContext {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly options: ResolvedConnectionOptions
  readonly proxy: ProxyAddress | undefined
  readonly lookup: LookupFunction
  /** Refuses addresses of the endpoint; a proxy's own address is the application's choice. */
  readonly guard?: AddressGuard | undefined
  /** Called when no connection to the address could be opened. */
  readonly onFailure: () => void
}

/** Opens sockets to the endpoint. */
export interface Connector {
  /** Opens a socket; with `allowHttp2`, TLS also offers HTTP/2. @throws BlobwireError `unavailable`, never sent */
  open(allowHttp2: boolean): Promise<Socket>
  /** Destroys the sockets that are being opened. */
  close(): void
}

/**
 * Makes a connector for one endpoint. undici's own connector has one time limit for all steps and no tunnels, and its
 * types have no HTTP/2 without TLS.
 */
export function createConnector(context: ConnectorContext): Connector {
  const { endpoint, options, proxy, guard } = context
  const tlsContext = endpoint.secure ? secureContext(context.tls) : undefined
  const proxyTlsContext = proxy?.secure ? secureContext({}) : undefined
  const host = hostOf(endpoint)
  const target: Target = { host, port: endpoint.port }
  const lookup = guard && !proxy ? guardedLookup(guard, target, context.lookup) : context.lookup
  let ticket: Buffer | undefined
  const opening = new Set<Socket>()

  async function connect(allowHttp2: boolean): Promise<Socket> {
    const endsAt = performance.now() + options.connectTimeoutMs
    const first = proxy ?? endpoint
    // Behind a proxy the address of a name is not known here.
    const literal = literalAddress(endpoint.address ?? host)
    if (guard && (proxy || literal)) checkAddress(guard, target, literal)
    const dialled = proxy ? hostOf(proxy) : (endpoint.address ?? host)
    const raw = startTcp(dialled, first.port, { options, lookup })
    opening.add(raw)
    try {
      return await finish(raw, allowHttp2, endsAt)
    } finally {
      opening.delete(raw)
    }
  }

  async function finish(raw: Socket, allowHttp2: boolean, endsAt: number): Promise<Socket> {
    const { hostname, port } = proxy ?? endpoint
    const failure = `no connection to ${hostname}:${port}`
    let socket = await ready(raw, 'connect', options.connectTimeoutMs, failure)
    if (guard && !proxy) checkPeer(guard, target, socket)
    if (proxy) {
      if (proxyTlsContext) {
        const servername = serverNameOf(hostOf(proxy))
        const secured = unheld(connectTls({ socket, secureContext: proxyTlsContext, ...servername }))
        socket = await handshake(secured, proxy, options)
      }
      await openTunnel(socket, endpoint, proxy, Math.max(1, endsAt - performance.now()))
    }
    if (!tlsContext) return allowHttp2 ? withPriorKnowledge(socket) : socket
    const secured = unheld(
      connectTls({
        socket,
        secureContext: tlsContext,
        rejectUnauthorized: context.tls.rejectUnauthorized ?? true,
        ALPNProtocols: allowHttp2 ? ['h2', 'http/1.1'] : ['http/1.1'],
        ...(ticket ? { session: ticket } : {}),
        // Node checks the certificate against `host`.
        ...serverNameOf(context.tls.serverName ?? host),
        host: context.tls.serverName ?? host
      })
    )
    secured.on('session', (session) => {
      ticket = session
    })
    return handshake(secured, endpoint, options)
  }

  return {
    async open(allowHttp2) {
      try {
        return await connect(allowHttp2)
      } catch (error) {
        context.onFailure()
        throw neverSent(error, proxy)
      }
    },
    close() {
      for (const socket of opening) socket.destroy()
    }
  }
}

/** A name for SNI; an address cannot be one (RFC 6066 section 3). */
function serverNameOf(host: string): { servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {}
}

/** Without TLS nothing negotiates: HTTP/2 with prior knowledge (RFC 9113 section 3.3), which undici reads from this property. */
function withPriorKnowledge(socket: Socket): Socket {
  return Object.assign(socket, { alpnProtocol: 'h2' })
}

/** The last word: the address that the socket has, whatever led to it. Nothing has been sent. */
function checkPeer(guard: AddressGuard, target: Target, socket: Socket): void {
  try {
    checkAddress(guard, target, socket.remoteAddress ?? '')
  } catch (refusal) {
    socket.destroy()
    throw refusal
  }
}

function startTcp(
  host: string,
  port: number,
  { options, lookup }: Pick<ConnectorContext, 'options' | 'lookup'>
): Socket {
  const { keepAliveMs, noDelay } = options
  const target = {
    host,
    port,
    lookup,
    noDelay,
    // Node tries IPv6 and IPv4 addresses, one shortly after the other (RFC 8305).
    autoSelectFamily: true,
    keepAlive: keepAliveMs > 0,
    keepAliveInitialDelay: keepAliveMs,
    highWaterMark: 64 * 1024
  } as TcpNetConnectOpts
  return unheld(connectTcp(target))
}

function handshake(
  socket: TLSSocket,
  { hostname, port }: Pick<Endpoint, 'hostname' | 'port'>,
  { tlsHandshakeTimeoutMs }: ResolvedConnectionOptions
): Promise<TLSSocket> {
  return ready(socket, 'secureConnect', tlsHandshakeTimeoutMs, `no TLS handshake with ${hostname}:${port}`)
}

function ready<Opened extends Socket>(
  socket: Opened,
  event: string,
  timeoutMs: number,
  failure: string
): Promise<Opened> {
  return new Promise((resolve, reject) => {
    // An error between two owners of the socket would be an uncaught exception.
    socket.on('error', () => undefined)
    const cancel = systemClock.schedule(timeoutMs, () => socket.destroy(timedOut(`${failure} within ${timeoutMs} ms`)))
    const stop = () => {
      cancel()
      socket.off('error', fail).off('close', closed).off(event, done)
    }
    const done = () => {
      stop()
      resolve(socket)
    }
    const fail = (error: Error) => {
      stop()
      reject(error)
    }
    const closed = () => fail(new Error(`${failure}: the connection was closed`))
    socket.once(event, done).once('error', fail).once('close', closed)
  })
}

/** The error of a step that took too long. */
function timedOut(message: string): BlobwireError {
  return new BlobwireError({ reason: 'connect_timeout', message, sent: 'never' })
}

/** An error from before the connection was open: no call has been sent. */
function neverSent(error: unknown, proxy: ProxyAddress | undefined): BlobwireError {
  if (error instanceof BlobwireError) return error
  const failure = failureFromErrno(error)
  const { code = '', message: text, syscall } = error as NodeJS.ErrnoException
  const message = failureMessage(text, code)
  // With a proxy, only the proxy is looked up and connected to.
  const isOfProxy = proxy !== undefined && (syscall === 'connect' || syscall === 'getaddrinfo')
  return new BlobwireError({
    code: failure?.reason === undefined ? 'unavailable' : undefined,
    reason: failure?.reason,
    sent: 'never',
    message: isOfProxy ? `proxy ${proxy.hostname}:${proxy.port}: ${message}` : message,
    cause: error
  })
}
