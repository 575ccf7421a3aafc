import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** What stands between a client and a server and can swallow everything. */
export interface Hole {
  readonly url: string
  /** Connections made so far. */
  readonly connections: number
  /** From now on nothing gets through, on these connections and on new ones, which are accepted all the same. */
  open(): void
  /** New connections work again; what went in before is lost. */
  heal(): void
}

/** Starts one before a server on this machine. */
export async function startHole(context: TestContext, port: number): Promise<Hole> {
  const sockets = new Set<Socket>()
  const swallowed = new WeakSet<Socket>()
  let isOpen = false
  const hole = {
    url: '',
    connections: 0,
    open() {
      isOpen = true
      for (const socket of sockets) swallowed.add(socket)
    },
    heal() {
      isOpen = false
    }
  }
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    if (isOpen) swallowed.add(socket)
    return socket
  }
  const server = createServer((client) => {
    hole.connections++
    const behind = keep(connect(port, '127.0.0.1'))
    keep(client)
    client.on('data', (chunk) => swallowed.has(client) || behind.write(chunk))
    behind.on('data', (chunk) => swallowed.has(behind) || client.write(chunk))
    client.on('close', () => behind.destroy())
    behind.on('close', () => swallowed.has(client) || client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  hole.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return hole
}
