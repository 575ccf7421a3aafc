/** Finds out whether an endpoint can be connected to, without a call. */
import type { Socket } from 'node:net'
import { systemClock } from '../../core/clock.ts'
import type { ResolvedConnectionOptions, TlsOptions } from '../../options/types.ts'
import type { Endpoint } from '../endpoint.ts'
import type { AddressGuard } from './address-guard.ts'
import { type Connector, createConnector } from './connector.ts'
import { proxyFor } from './proxy.ts'
import { CachingResolver } from './resolver.ts'

/** Most time for each step of a check: checks are repeated twice a second. */
const stepTimeoutMs = 2000

/** The preface of an HTTP/2 client, an empty SETTINGS frame, and GOAWAY (RFC 9113 sections 3.4, 6.5 and 6.8). */
const opening = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0)])
const goaway = Buffer.concat([Buffer.of(0, 0, 8, 7, 0, 0, 0, 0, 0), Buffer.alloc(8)])

export interface ConnectionCheckContext {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly connection: ResolvedConnectionOptions
  readonly guard?: AddressGuard | undefined
}

/** Opens connections of its own, and closes them at once. */
export class ConnectionCheck {
  readonly #context: ConnectionCheckContext
  readonly #resolver = new CachingResolver(systemClock)
  readonly #sockets = new Set<Socket>()
  #connector: Connector | undefined

  constructor(context: ConnectionCheckContext) {
    this.#context = context
  }

  /** Whether the server sends its first bytes: a socket alone may be that of a kernel or a proxy without a server. */
  async canConnect(): Promise<boolean> {
    this.#connector ??= this.#newConnector()
    const socket = await this.#connector.open(true).catch(() => undefined)
    if (socket === undefined) return false
    this.#sockets.add(socket)
    try {
      return await isAnswered(socket)
    } finally {
      this.#sockets.delete(socket)
      if (!socket.destroyed) socket.write(goaway)
      socket.destroySoon()
    }
  }

  close(): void {
    this.#connector?.close()
    this.#resolver.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #newConnector(): Connector {
    const { endpoint, tls, connection, guard } = this.#context
    const options = {
      ...connection,
      connectTimeoutMs: Math.min(connection.connectTimeoutMs, stepTimeoutMs),
      tlsHandshakeTimeoutMs: Math.min(connection.tlsHandshakeTimeoutMs, stepTimeoutMs)
    }
    const { lookup } = this.#resolver
    const proxy = proxyFor(connection.proxy, endpoint)
    return createConnector({ endpoint, tls, options, proxy, lookup, guard, onFailure: () => undefined })
  }
}

/** A server of HTTP/2 greets with SETTINGS, and one of HTTP/1.1 answers the preface with an error. */
function isAnswered(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = systemClock.schedule(stepTimeoutMs, () => end(false))
    const end = (isAlive: boolean) => {
      cancel()
      resolve(isAlive)
    }
    socket.once('data', () => end(true))
    socket.once('close', () => end(false))
    socket.write(opening)
  })
}
