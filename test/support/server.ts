import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type RunningServer, type ServerOptions, startServer } from '../../server-fixture/server.ts'
import { type Client, type ClientOptions, createClient } from '../../src/index.ts'

/** Ends with the test. */
export function atEnd<Resource extends AsyncDisposable>(context: TestContext, resource: Resource): Resource {
  context.after(() => resource[Symbol.asyncDispose]())
  return resource
}

/** A fixture in this process, on free ports. */
export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer
  /** Directory of the Git store. */
  readonly data: string
  /** A client of it, closed before the server. */
  client(options?: Partial<ClientOptions>): Client
  /** Has another client closed with it. */
  keep(client: Client): Client
}

/** Starts a fixture with the memory store unless told otherwise; the Git store has a temporary directory of its own. */
export async function testServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-test-'))
  const server = await startServer({ store: 'memory', data, ...options })
  const clients: Client[] = []
  const keep = (client: Client) => {
    clients.push(client)
    return client
  }
  return {
    server,
    data,
    keep,
    client(clientOptions) {
      const grpc = clientOptions?.transport === 'grpc'
      const endpoint = grpc ? server.grpc.replace(/^http/, 'grpc') : server.http
      return keep(createClient({ endpoint, ...clientOptions }))
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.close()))
      await server.close()
      await rm(data, { recursive: true, force: true })
    }
  }
}
