/** The servers that the cases need, and the outcomes that they are to have. */
import { createServer } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { Faults } from '../server-fixture/faults/faults.ts'
import { type ServerOptions, startServer } from '../server-fixture/server.ts'
import { createClient } from '../src/index.ts'
import { everyRpc } from '../test/cases/every-rpc.ts'
import type { Addresses, Outcome } from './cases.ts'

export interface Servers extends AsyncDisposable {
  readonly addresses: Addresses
}

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** For one run of the cases. */
export async function startServers(options: Partial<ServerOptions> = {}): Promise<Servers> {
  const common = { store: 'memory', httpPort: 0, grpcPort: 0, ...options } as const
  const faults = new Faults()
  faults.add({ rpc: 'StoreBlob', count: 2, fault: { kind: 'lost_answer' } })
  faults.add({ rpc: 'GetBlob', fault: { kind: 'silence' } })
  const [server, faulty] = await Promise.all([startServer(common), startServer({ ...common, faults })])
  const addresses = { server: server.http, faulty: faulty.http, closed: `http://127.0.0.1:${await closedPort()}` }
  return {
    addresses,
    async [Symbol.asyncDispose]() {
      await Promise.all([server.close(), faulty.close()])
    }
  }
}

/** The values of the cases that have one, as the client for Node gives them: without the name of the run, all are the same. */
async function expectedValues(name: string): Promise<Readonly<Record<string, unknown>>> {
  const server = await startServer({ store: 'memory', httpPort: 0, grpcPort: 0 })
  const values: Record<string, unknown> = {}
  for (const [transport, format] of [
    ['json', 'sha1'],
    ['msgpack', 'sha256']
  ] as const) {
    const client = createClient({ endpoint: server.http, transport })
    values[`every call, ${transport}`] = await everyRpc(client, `${name}/${transport}-${format}`, format)
    await client.close()
  }
  await server.close()
  return values
}

/** The cases of a run that do not hold. */
export async function problemsOf(name: string, outcomes: readonly Outcome[]): Promise<string[]> {
  const expected = await expectedValues(name)
  const missing = Object.keys(expected).filter((each) => !outcomes.some(({ name }) => name === each))
  const failed = outcomes.flatMap(({ name, failure, value }) => {
    if (failure !== undefined) return [`${name}: ${failure}`]
    return isDeepStrictEqual(value, expected[name])
      ? []
      : [`${name}: ${JSON.stringify(value)}, another outcome than on Node`]
  })
  return [...missing.map((name) => `${name}: not carried out`), ...failed]
}
