import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What stands between a client and servers: new connections go to the server that is named last. */
export interface Relay extends AsyncDisposable {
  readonly port: number
  /** `host:port` behind it. */
  target: string
  /** Resets every connection, both ways. */
  cut(): void
}

/** Starts one on a free port. */
export async function startRelay(target: string): Promise<Relay> {
  const sockets = new Set<Socket>()
  const relay = { target }
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer((client) => {
    const { hostname, port } = new URL(`http://${relay.target}`)
    const behind = keep(connect(Number(port), hostname))
    keep(client).pipe(behind).pipe(client)
    client.on('close', () => behind.destroy())
    behind.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(relay, {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy()
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  })
}
