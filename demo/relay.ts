import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Counts the bytes of every connection between a client and a server, whatever is spoken. */
export interface Relay {
  /** `127.0.0.1:port` to connect to instead of the server. */
  readonly authority: string
  /** Bytes to the server so far. */
  sent(): number
  /** Bytes from the server so far. */
  received(): number
  close(): void
}

/** A relay on a free port of the loopback interface. */
export async function startRelay(target: URL): Promise<Relay> {
  const sockets = new Set<Socket>()
  let sent = 0
  let received = 0
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => sockets.delete(socket))
      socket.pipe(other)
    }
    client.on('data', (chunk) => {
      sent += chunk.length
    })
    upstream.on('data', (chunk) => {
      received += chunk.length
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => sent,
    received: () => received,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    }
  }
}
