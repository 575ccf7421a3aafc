/// <reference lib="esnext.disposable" preserve="true" />
/** A server in the process of a test, on free ports. */
import type { Effect } from '../server-fixture/faults/effects.ts'
import type { Faults } from '../server-fixture/faults/faults.ts'
import { startServer } from '../server-fixture/server.ts'
import type { RunningServer, ServerOptions } from '../server-fixture/server-options.ts'
import { type Client, createClient } from '../src/client/client.ts'
import type { ClientOptions } from '../src/client/client-options.ts'
import { faultsOf, type TestService, type TestServiceOptions } from './test-service.ts'

/** Options of `startTestServer`: those of every server, and faults as rules. */
export type TestServerOptions = Omit<ServerOptions, 'faults' | 'onEffect'> & Pick<TestServiceOptions, 'faults'>

/** A server with scripted faults and an effect log. */
export interface TestServer
  extends Omit<TestService, 'client'>,
    Pick<RunningServer, 'http' | 'grpc' | 'admin' | 'metrics'> {
  /** A client of it, over the transport of the options. The server closes it. */
  client(options?: Partial<ClientOptions>): Client
}

/**
 * Starts a server in this process, with its data in memory unless told otherwise. Requests, connections and streams can
 * fail in each way of docs/testing.md.
 * @throws FaultScriptError for a rule that is wrong; and as `startServer`
 * @example
 * await using server = await startTestServer()
 * const client = server.client({ transport: 'grpc' })
 */
export async function startTestServer({ faults: given, ...options }: TestServerOptions = {}): Promise<TestServer> {
  const faults: Faults = faultsOf(given)
  const effects: Effect[] = []
  const server = await startServer({ ...options, faults, onEffect: (effect) => effects.push(effect) })
  const clients = new Set<Client>()
  const close = async () => {
    await Promise.all([...clients].map((client) => client.close()))
    await server.close()
  }
  const { http, grpc, admin, metrics } = server
  return {
    http,
    grpc,
    admin,
    metrics,
    faults,
    effects,
    client(clientOptions = {}) {
      const isGrpc = clientOptions.transport === 'grpc'
      const client = createClient({ endpoint: isGrpc ? grpc.replace(/^http/, 'grpc') : http, ...clientOptions })
      clients.add(client)
      return client
    },
    close,
    [Symbol.asyncDispose]: close
  }
}
