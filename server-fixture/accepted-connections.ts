/** Where the connections of a listener come from: a port that it listens on itself, or another process that accepts them. */
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Operated } from './admin/operated.ts'

/** Connections that another process accepts. */
export interface ConnectionSource {
  /** The port on which it listens. */
  readonly port: number
  /** Calls the function for each connection. Returns the function that refuses further ones. */
  subscribe(onConnection: (socket: Socket) => void): () => void
}

/** The process that a worker works for: it accepts the connections, and knows the figures of all workers. */
export interface Primary {
  readonly sources: Readonly<Record<'http' | 'grpc', ConnectionSource>>
  /** The state of all workers, with which the paths for operators answer. */
  together(own: Operated, serverVersion: string): Operated
}

/** A server begins to have connections. */
export interface Accepting {
  readonly port: number
  /** The server has no new connections. */
  stop(): void
}

/** Listens on the port, unless there is a source of connections. @throws Error where the port is not available */
export async function acceptConnections(
  server: Server,
  {
    source,
    port,
    host
  }: { readonly source: ConnectionSource | undefined; readonly port: number; readonly host: string }
): Promise<Accepting> {
  if (source) return { port: source.port, stop: source.subscribe((socket) => server.emit('connection', socket)) }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() }
}
