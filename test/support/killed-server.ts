/** A server on the Git store that is killed and started again, wires to it that are cut, and clients on all transports. */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { type Client, createClient, type TransportName } from '../../src/index.ts'
import { startTcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { makeDirectory, removeDirectory } from '../store/support.ts'
import { transports } from './faulty-network.ts'
import { ownPorts } from './ports.ts'
import { atEnd } from './server.ts'

/** Outlasts a start of the server on a machine that is busy. */
const retry = { maxAttempts: 100, baseMs: 50, maxMs: 300, budgetRatio: 1, budgetPerSecond: 1000 }

/** Where clients find the server, one for each kind of transport. */
interface Place {
  readonly http: string
  readonly grpc: string
}

/**
 * A server on a Git store, or on a database, which can be killed and started again in the same place, on the same ports.
 *
 * @param database its URL
 */
export async function startKilledServer(context: TestContext, database?: string) {
  const directory = await makeDirectory()
  const flags = database ? ['--store', 'postgres', '--database', database] : ['--store', 'git', '--data', directory]
  const { httpPort, grpcPort } = await ownPorts()
  flags.push('--http-port', String(httpPort), '--grpc-port', String(grpcPort))
  let server: ServerProcess = await startServerProcess(...flags)
  context.after(async () => {
    await server.kill()
    await removeDirectory(directory)
  })
  const { http, grpc } = server
  return {
    place: { http: http.origin, grpc: `grpc://${grpc.host}` },
    gitDir: join(directory, 'demo.git'),
    async killAndStart() {
      await server.kill()
      server = await startServerProcess(...flags)
    },
    stop: () => server.stop()
  }
}

/** Two wires to it, which can be cut. */
export async function startWires(context: TestContext, { http, grpc }: Place) {
  const wires = [atEnd(context, await startTcpProxy(http)), atEnd(context, await startTcpProxy(grpc))] as const
  const place = { http: `http://127.0.0.1:${wires[0].port}`, grpc: `grpc://127.0.0.1:${wires[1].port}` }
  return { place, reset: () => wires.map((wire) => wire.reset()) }
}

/** Three clients have a request for each call, the others a session; the places take turns. */
export function startClients(context: TestContext, places: readonly Place[]): Client[] {
  return Array.from({ length: 8 }, (_, index) => {
    const transport = transports[index % transports.length] as TransportName
    const { http, grpc } = places[index % places.length] as Place
    const endpoint = transport === 'grpc' ? grpc : http
    const batch = [2, 6, 7].includes(index) ? false : {}
    const client = createClient({ endpoint, transport, batch, retry, breaker: false, timeoutMs: 60_000 })
    context.after(() => client.close())
    return client
  })
}
