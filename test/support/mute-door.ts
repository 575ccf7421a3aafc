import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type Client, type ClientOptions, createClient } from '../../src/index.ts'
import { atEnd, testServer } from './server.ts'

/** What stands before a server, and may say nothing to those who come. */
export interface Door {
  readonly port: number
  /** From now on, who comes is accepted and hears nothing. */
  mute: boolean
  readonly connections: number
  readonly open: number
  /** What was said while it was mute. */
  readonly heard: string
  /** Ends every connection. */
  cut(): void
}

/** Starts one that is mute. */
export async function startDoor(context: TestContext, origin: string): Promise<Door> {
  const sockets = new Set<Socket>()
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const door = { port: 0, mute: true, connections: 0, open: 0, heard: '', cut }
  const server = createServer((client) => {
    door.connections++
    door.open++
    sockets.add(client)
    client.on('error', () => undefined)
    client.on('close', () => door.open--)
    if (door.mute) {
      client.on('data', (bytes) => {
        door.heard += bytes.toString('latin1')
      })
      return
    }
    const { hostname, port } = new URL(origin)
    const behind = connect(Number(port), hostname).on('error', () => undefined)
    sockets.add(behind)
    client.pipe(behind).pipe(client)
    client.on('close', () => behind.destroy())
    behind.on('close', () => client.destroy())
  })
  context.after(() => {
    cut()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  door.port = (server.address() as AddressInfo).port
  return door
}

/** Until it is so; the test's own time-out ends it otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** That many milliseconds. */
export const later = (delayMs: number) => new Promise((resolve) => setTimeout(resolve, delayMs))

/** A fixture that is reached through a door. */
export interface Scene {
  readonly door: Door
  client(options?: Partial<ClientOptions>): Client
}

/** A fixture behind a door that is mute, and clients that have 200 ms to get through it. */
export async function doorScene(context: TestContext, isSecure = false): Promise<Scene> {
  const pem = (name: string) => readFileSync(new URL(`./tls/${name}`, import.meta.url))
  const files = { cert: pem('server.pem'), key: pem('server.key'), requestCert: false, rejectUnauthorized: false }
  const fixture = atEnd(context, await testServer(isSecure ? { tls: files } : {}))
  const tls = isSecure ? { ca: pem('ca.pem') } : {}
  await fixture.client({ tls }).createRepository('demo')
  const door = await startDoor(context, fixture.server.grpc)
  const endpoint = `${isSecure ? 'grpcs' : 'grpc'}://127.0.0.1:${door.port}`
  const common = { endpoint, tls, transport: 'grpc', retry: false, breaker: false } as const
  const connection = { connectTimeoutMs: 200 }
  return { door, client: (options) => fixture.keep(createClient({ ...common, connection, ...options })) }
}
