/** A wire with faults: a TCP proxy in this process, between a client and a server on loopback. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { type DirectionSettings, ProxyDirection, soundWire } from './proxy-direction.ts'
import { randomNumbers } from './random.ts'

export interface TcpProxy extends AsyncDisposable {
  readonly port: number
  /** `host:port` behind it; new connections go there. */
  target: string
  /** What befalls the bytes on their way to the server, and back. */
  readonly toServer: Readonly<DirectionSettings>
  readonly toClient: Readonly<DirectionSettings>
  /** Connections so far, and those that are open. */
  readonly connections: number
  readonly open: number
  /** Bytes that have passed, over all connections. */
  readonly bytesToServer: number
  readonly bytesToClient: number
  /** Changes settings of both directions, for connections that live as well. */
  set(settings: Partial<DirectionSettings>): void
  /** The same for one direction. */
  setToServer(settings: Partial<DirectionSettings>): void
  setToClient(settings: Partial<DirectionSettings>): void
  /** Nothing passes, either way, until `heal`. New connections are still accepted: a kernel does that by itself. */
  partition(): void
  heal(): void
  /** New connections are refused (ECONNREFUSED), until `accept`; those that live go on. */
  refuse(): Promise<void>
  accept(): Promise<void>
  /** Resets every connection, both sides (RST). */
  reset(): void
  /** Ends every connection, both sides (FIN). */
  cut(): void
  /** The server's side is gone without the client's being told: it stays open, and nothing answers any more. */
  halfOpen(): void
}

/** Starts one on a free port; `seed` is that of the jitter. */
export async function startTcpProxy(target: string, seed = 1): Promise<TcpProxy> {
  const proxy = new FaultyWire(target, seed)
  await proxy.accept()
  return proxy
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  readonly directions: readonly ProxyDirection[]
}

class FaultyWire implements TcpProxy {
  target: string
  readonly toServer: DirectionSettings = { ...soundWire }
  readonly toClient: DirectionSettings = { ...soundWire }
  port = 0
  connections = 0
  bytesToServer = 0
  bytesToClient = 0
  readonly #links = new Set<Link>()
  readonly #random: (below: number) => number
  #listener: Server | undefined

  constructor(target: string, seed: number) {
    this.target = target
    this.#random = randomNumbers(seed)
  }

  get open(): number {
    return this.#links.size
  }

  set(settings: Partial<DirectionSettings>): void {
    this.setToServer(settings)
    this.setToClient(settings)
  }

  setToServer(settings: Partial<DirectionSettings>): void {
    Object.assign(this.toServer, settings)
    this.#pump()
  }

  setToClient(settings: Partial<DirectionSettings>): void {
    Object.assign(this.toClient, settings)
    this.#pump()
  }

  partition(): void {
    this.set({ blackHole: true })
  }

  heal(): void {
    this.set({ blackHole: false })
  }

  async refuse(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined
    // Its callback would wait for the connections that live.
    listener?.close()
  }

  async accept(): Promise<void> {
    if (this.#listener) return
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#connect(client))
    listener.listen(this.port, '127.0.0.1')
    await once(listener, 'listening')
    this.port = (listener.address() as AddressInfo).port
    this.#listener = listener
  }

  reset(): void {
    for (const link of this.#links) end(link, 'reset')
  }

  cut(): void {
    for (const link of this.#links) end(link, 'cut')
  }

  halfOpen(): void {
    for (const { server, directions } of this.#links) {
      for (const direction of directions) direction.stop()
      server.resetAndDestroy()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.refuse()
    const ends: Promise<unknown>[] = []
    for (const { client, server, directions } of this.#links) {
      for (const direction of directions) direction.stop()
      for (const socket of [client, server]) {
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
    this.connections++
    const [host, port] = this.target.split(/:(?=\d+$)/)
    const server = connect({ port: Number(port), host: host as string, allowHalfOpen: true, noDelay: true })
    for (const socket of [client, server]) socket.on('error', () => undefined)
    const random = () => this.#random(2001) / 1000 - 1
    const onLimit = (how: 'reset' | 'cut') => end(link, how)
    const toServer = new ProxyDirection({
      source: client,
      sink: server,
      settings: this.toServer,
      random,
      onBytes: (count) => {
        this.bytesToServer += count
      },
      onLimit
    })
    const toClient = new ProxyDirection({
      source: server,
      sink: client,
      settings: this.toClient,
      random,
      onBytes: (count) => {
        this.bytesToClient += count
      },
      onLimit
    })
    const link: Link = { client, server, directions: [toServer, toClient] }
    this.#links.add(link)
    const closed = () => {
      if (client.closed && server.closed) this.#links.delete(link)
    }
    client.on('close', closed)
    server.on('close', closed)
  }
}

function end({ client, server, directions }: Link, how: 'reset' | 'cut'): void {
  for (const direction of directions) direction.stop()
  for (const socket of [client, server]) {
    if (how === 'reset') socket.resetAndDestroy()
    else socket.destroySoon()
  }
}
