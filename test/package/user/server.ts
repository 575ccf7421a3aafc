/** The server in a user's own program. */
import { createClient, type GitEnvironment } from 'blobwire'
import {
  type CorsOptions,
  type Effect,
  type GitHousekeeping,
  type Grant,
  MissingPackageError,
  type PushDestination,
  type PushOptions,
  type RunningServer,
  readPushOptions,
  type ServerFigures,
  type ServerOptions,
  type Store,
  type StoreOptions,
  startServer,
  type TlsFiles,
  type WatchBounds
} from 'blobwire/server'
import {
  createTestClient,
  createTestService,
  type Fault,
  type FaultRule,
  type FaultScript,
  FaultScriptError,
  Faults,
  startTestServer,
  type TestClientOptions,
  type TestServer,
  type TestServerOptions,
  type TestService,
  type TestServiceOptions,
  type WithService
} from 'blobwire/testing'

const grants: Grant[] = [{ token: 'secret', access: 'write', repositories: ['team/*'], operate: true }]
const gitStore: GitHousekeeping = { housekeeping: false, gracePeriodHours: 1 }
const store: StoreOptions = { store: 'git', data: '/var/lib/blobwire', gitStore }
const watches: Partial<WatchBounds> = { maxWatches: 10 }
export const tls: TlsFiles = { cert: '-----BEGIN CERTIFICATE-----', key: new Uint8Array() }

const cors: CorsOptions = { origins: ['https://app.example'] }

/** A store of one's own is closed with the server. */
export const withStore = (own: Store): Promise<RunningServer> => startServer({ store: own })

export async function serve(): Promise<string> {
  const webhooks: PushOptions = await readPushOptions('webhooks.yaml')
  const destination: PushDestination | undefined = webhooks.destinations[0]
  const effects: Effect[] = []
  const options: ServerOptions = {
    ...store,
    grants,
    watches,
    webhooks,
    httpPort: 4100,
    cors,
    hosts: ['git.example.org'],
    tracing: true,
    onEffect: (effect) => effects.push(effect),
    log: (event) => effects.push({ kind: 'object', repository: String(event['event']), name: '' })
  }
  try {
    await using server = await startServer(options)
    await using client = createClient({ endpoint: server.http, token: 'secret' })
    await client.createRepository('team/demo')
    const environment: GitEnvironment = await client.repository('team/demo').gitEnvironment()
    if (environment['GIT_CONFIG_COUNT'] === undefined) return client.remoteUrl('team/demo')
    const figures: ServerFigures = server.metrics.snapshot()
    return `${server.grpc} ${server.admin ?? ''} ${figures.watches} ${destination?.url} ${effects.length}`
  } catch (error) {
    if (error instanceof MissingPackageError) return error.message
    throw error
  }
}

/** Faults on command. */
export async function failing(): Promise<number> {
  const fault: Fault = { kind: 'lost_answer' }
  const rule: FaultRule = { rpc: 'StoreBlob', count: 1, fault }
  const script: Partial<FaultScript> = { seed: 7 }
  const faults = new Faults(script)
  try {
    faults.add(rule)
  } catch (error) {
    if (!(error instanceof FaultScriptError)) throw error
  }
  const server = await startServer({ faults })
  await server.close()
  return faults.fired('lost_answer') + faults.carriedOut('StoreBlob')
}

/** Unit tests without sockets, and tests with them. */
export async function tested(): Promise<number> {
  const options: TestServiceOptions = { faults: [{ rpc: 'StoreBlob', fault: { kind: 'silence' } }] }
  const clientOptions: TestClientOptions & WithService = { transport: 'json', service: options }
  await using client = createTestClient(clientOptions)
  await client.createRepository('demo')
  await using service: TestService = createTestService(options)
  service.client().stats()
  const serverOptions: TestServerOptions = { store: 'memory', faults: new Faults() }
  await using server: TestServer = await startTestServer(serverOptions)
  await server.client({ transport: 'grpc' }).createRepository(server.http)
  return server.effects.length + service.faults.fired('silence')
}
