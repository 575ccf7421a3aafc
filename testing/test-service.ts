/// <reference lib="esnext.disposable" preserve="true" />
/** Clients of a service in the same process, without sockets. */
import { checkServerOptions } from '../server-fixture/check-server-options.ts'
import type { Effect } from '../server-fixture/faults/effects.ts'
import { Faults } from '../server-fixture/faults/faults.ts'
import type { FaultRule } from '../server-fixture/faults/rules.ts'
import type { ServerOptions } from '../server-fixture/server-options.ts'
import { type Client, createClientOn } from '../src/client/client.ts'
import type { ClientOptions } from '../src/client/client-options.ts'
import { checkKeys } from '../src/core/check-options.ts'
import { LocalServer } from './local-server.ts'
import { localTransport } from './local-transport.ts'

/** Options of `createTestService`. */
export interface TestServiceOptions extends Pick<ServerOptions, 'grants' | 'limits' | 'watches'> {
  /**
   * Faults on command (docs/testing.md): rules, or `Faults` with a seed. `service.faults` takes further rules.
   * @default none
   */
  readonly faults?: Faults | readonly FaultRule[] | undefined
}

/** Options of a client of a test service: those of every client, but for the endpoint. */
export type TestClientOptions = Omit<ClientOptions, 'endpoint'>

/** A service with a store in memory. */
export interface TestService extends AsyncDisposable {
  /** Its faults: `add` rules, `clear` them, count what has `fired` and what was `carriedOut`. */
  readonly faults: Faults
  /** Each write that changed something, in order. A repeated write has no second effect. */
  readonly effects: readonly Effect[]
  /**
   * A client whose calls go straight to the service: through the client's whole pipeline (retries, deadlines, breakers,
   * batches, interceptors), and encoded as for the network.
   * @throws BlobwireError `invalid_argument` for an option that is wrong
   */
  client(options?: TestClientOptions): Client
  /** Closes its clients, and refuses further calls. `await using` does the same. */
  close(): Promise<void>
}

/** Faults as they were given, or of rules. @throws FaultScriptError */
export function faultsOf(given: TestServiceOptions['faults']): Faults {
  return given instanceof Faults ? given : new Faults({ rules: given ?? [] })
}

/**
 * Creates a service for unit tests, without sockets and files.
 * @throws FaultScriptError for a rule that is wrong; BlobwireError `invalid_argument` for another option
 * @example
 * await using service = createTestService()
 * const client = service.client()
 * await client.createRepository('demo')
 * service.faults.add({ rpc: 'StoreBlob', count: 1, fault: { kind: 'lost_answer' } })
 * await client.storeBlob('demo', 'hello\n') // repeated, with one effect
 */
export function createTestService({ faults: given, ...options }: TestServiceOptions = {}): TestService {
  checkKeys('', options, ['faults', 'grants', 'limits', 'watches'])
  checkServerOptions(options)
  const faults = faultsOf(given)
  const effects: Effect[] = []
  const server = new LocalServer({ ...options, faults, onEffect: (effect) => effects.push(effect) })
  const clients = new Set<Client>()
  const close = async () => {
    await Promise.all([...clients].map((client) => client.close()))
    server.close()
  }
  return {
    faults,
    effects,
    client(clientOptions = {}) {
      const client = createClientOn({ ...clientOptions, endpoint: 'http://in-memory' }, (resolved) => ({
        connect: async (_endpoint, name) => localTransport(server, name, resolved),
        addressesOf: () => undefined,
        close: async () => undefined
      }))
      clients.add(client)
      return client
    },
    close,
    [Symbol.asyncDispose]: close
  }
}

/**
 * A client of a test service of its own, for tests that need no more.
 * @example
 * await using client = createTestClient()
 * await client.createRepository('demo')
 */
export function createTestClient({ service = {}, ...options }: TestClientOptions & WithService = {}): Client {
  return createTestService(service).client(options)
}

/** The service of `createTestClient`. */
export interface WithService {
  readonly service?: TestServiceOptions | undefined
}
