/** Where the connections of a listener come from: a port that it listens on itself, or another process that accepts them. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Operated } from './admin/operated.ts'
import { portError, type WantedPort } from './port-error.ts'

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

/** Where connections are accepted. */
interface AcceptingOptions extends WantedPort {
  readonly source: ConnectionSource | undefined
}

/** Listens on the port, unless there is a source of connections. @throws Error where the port is not available */
export async function acceptConnections(server: Server, { source, ...wanted }: AcceptingOptions): Promise<Accepting> {
  if (source) return { port: source.port, stop: source.subscribe((socket) => server.emit('connection', socket)) }
  await listen(server, wanted)
  return { port: (server.address() as AddressInfo).port, stop: () => server.close() }
}

/** Listens on a port. @throws Error that says what to do where the port is not available */
export async function listen(server: Server, wanted: WantedPort): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portError(error, wanted)))
    server.listen(wanted.port, wanted.host, resolve)
  })
}

/** Tries a port that a server will have which tells nobody why it cannot. @throws Error as `listen` */
export async function tryPort(wanted: WantedPort): Promise<void> {
  if (wanted.port === 0) return
  const server = createServer()
  await listen(server, wanted)
  await new Promise((resolve) => server.close(resolve))
}
