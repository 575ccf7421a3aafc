/**
 * A TCP proxy in this process, between a client and a server on loopback: forwards and counts bytes, and is told to delay,
 * throttle, slice, swallow or reset them. Tests, the demo and the benchmark share it.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Direction, type DirectionSettings, resetSocket, soundWire } from './direction.ts'

interface Link {
  readonly client: Socket
  /** A silent connection has none. */
  readonly server?: Socket
  readonly directions: readonly Direction[]
}

export class TcpProxy implements AsyncDisposable {
  /** The server behind the proxy, as a URL; new connections go there. */
  target: string
  /** The same port as long as the proxy lives. */
  port = 0
  /** True = new connections are accepted and never answered; the server does not see them. */
  silent = false
  /** The first bytes that the client of each connection has sent, in the order of the connections. */
  readonly heads: Buffer[] = []
  /** Connections so far. */
  connections = 0
  /** Bytes that were forwarded, over all connections. */
  bytesToServer = 0
  bytesToClient = 0
  readonly #toServer: DirectionSettings = { ...soundWire }
  readonly #toClient: DirectionSettings = { ...soundWire }
  readonly #links = new Set<Link>()
  #listener: Server | undefined

  constructor(target: string) {
    this.target = target
  }

  /** Connections that are open on either side. */
  get open(): number {
    return this.#links.size
  }

  /** Changes settings of both directions, for open connections as well. */
  set(settings: Partial<DirectionSettings>): void {
    this.setToServer(settings)
    this.setToClient(settings)
  }

  setToServer(settings: Partial<DirectionSettings>): void {
    Object.assign(this.#toServer, settings)
    this.#pump()
  }

  setToClient(settings: Partial<DirectionSettings>): void {
    Object.assign(this.#toClient, settings)
    this.#pump()
  }

  /** Nothing passes, either way, until `heal`. New connections are still accepted: a kernel does that by itself. */
  partition(): void {
    this.set({ blackHole: true })
  }

  /** Ends a partition; the bytes that were held pass now. */
  heal(): void {
    this.set({ blackHole: false })
  }

  /** New connections are refused (ECONNREFUSED), until `accept`; open ones go on. */
  refuse(): void {
    // The callback would wait for the open connections.
    this.#listener?.close()
    this.#listener = undefined
  }

  async accept(): Promise<void> {
    if (this.#listener) return
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connect(client))
    listener.listen(this.port, '127.0.0.1')
    await once(listener, 'listening')
    this.port = (listener.address() as AddressInfo).port
    this.#listener = listener
  }

  /** Resets every connection, both sides (RST). */
  reset(): void {
    for (const link of this.#links) end(link, 'reset')
  }

  /** Ends every connection, both sides (FIN). */
  cut(): void {
    for (const link of this.#links) end(link, 'cut')
  }

  /** Resets the server's side alone: open connections are half-open (RFC 9293 section 3.5.1), and clients do not know. */
  halfOpen(): void {
    for (const { server, directions } of this.#links) {
      for (const direction of directions) direction.stop()
      if (server) resetSocket(server)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    const ends: Promise<unknown>[] = []
    for (const { client, server, directions } of this.#links) {
      for (const direction of directions) direction.stop()
      for (const socket of [client, server]) {
        if (socket === undefined) continue
        if (!socket.closed) ends.push(once(socket, 'close'))
        socket.destroy()
      }
    }
    await Promise.all(ends)
  }

  #pump(): void {
    for (const { directions } of this.#links) for (const direction of directions) direction.pump()
  }

  #connect(client: Socket): void {
    const index = this.connections++
    this.heads.push(Buffer.alloc(0))
    client.once('data', (bytes: Buffer) => {
      this.heads[index] = bytes
    })
    client.on('error', () => undefined)
    const link = this.silent ? this.#swallow(client) : this.#forward(client)
    this.#links.add(link)
    const closed = () => {
      if (client.closed && link.server?.closed !== false) this.#links.delete(link)
    }
    client.on('close', closed)
    link.server?.on('close', closed)
  }

  #swallow(client: Socket): Link {
    client.on('end', () => client.end())
    client.resume()
    return { client, directions: [] }
  }

  #forward(client: Socket): Link {
    const { hostname, port } = new URL(this.target)
    const host = hostname.replace(/^\[|\]$/g, '')
    const server = connect({ port: Number(port), host, allowHalfOpen: true, noDelay: true })
    server.on('error', () => undefined)
    const onLimit = (how: 'reset' | 'cut') => end(link, how)
    const toServer = new Direction(client, server, {
      settings: this.#toServer,
      onBytes: (count) => {
        this.bytesToServer += count
      },
      onLimit
    })
    const toClient = new Direction(server, client, {
      settings: this.#toClient,
      onBytes: (count) => {
        this.bytesToClient += count
      },
      onLimit
    })
    const link: Link = { client, server, directions: [toServer, toClient] }
    return link
  }
}

/** Starts one on a free port of the loopback interface. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const proxy = new TcpProxy(target)
  await proxy.accept()
  return proxy
}

function end({ client, server, directions }: Link, how: 'reset' | 'cut'): void {
  for (const direction of directions) direction.stop()
  for (const socket of [client, server]) {
    if (socket === undefined) continue
    if (how === 'reset') resetSocket(socket)
    else socket.destroySoon()
  }
}
