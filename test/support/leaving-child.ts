/**
 * The process of the leaving test: `beforeExit` comes when nothing holds the process any longer, and the process goes on
 * where a listener starts something new. So one process shows for many states of a call that it does not end before, and how
 * soon it ends after. No client is closed, but where the state is its closing.
 */
import { randomBytes } from 'node:crypto'
import { type ClientOptions, createClient, type TransportName } from '../../src/index.ts'

/** The servers, as endpoints for the transport. */
export interface LeavingServers {
  /** Takes 80 ms for each GetBlob, as all behind which it is; fails the first StoreTree calls. */
  readonly plain: string
  readonly tls: string
  readonly http1: string
  /** Nobody listens. */
  readonly refused: string
  /** Answers no SYN. */
  readonly backlog: string
  /** Accepts connections, and sends nothing. */
  readonly silent: string
  /** Sends its SETTINGS, and nothing more. */
  readonly mute: string
  /** The same, and reads nothing. */
  readonly blocked: string
  /** An HTTP proxy. */
  readonly proxy: string
  readonly silentProxy: string
}

/** What was seen of one state. */
export interface Departure {
  readonly state: string
  /** How the call ended; undefined = the process was about to end before. */
  readonly outcome: string | undefined
  /** Ticks of 25 ms from the end of the call to that of the process. */
  readonly ticks: number
  /** Resources that still held the process when the call had ended. */
  readonly resources: readonly string[]
}

const [transport, serverText = '{}', caText = ''] = process.argv.slice(2) as [TransportName, string, string]
const servers = JSON.parse(serverText) as LeavingServers
const missing = 'ce013625030ba8dba906f756967f9e9ca394464a'
const author = { name: 'Ada', email: 'ada@example.org' }

const clientOf = (endpoint: string, options: Partial<ClientOptions> = {}) =>
  createClient({ endpoint, transport, breaker: false, retry: false, tls: { ca: caText }, ...options })
const slowRead = (options: Partial<ClientOptions>, endpoint = servers.plain) =>
  clientOf(endpoint, options).getBlob('demo', missing)
const timeoutMs = 150
/** A wait that holds nothing. */
const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 100).unref())
async function* slowSource() {
  yield randomBytes(1000)
  await pause()
  yield randomBytes(1000)
}
const used = clientOf(servers.plain, { connection: { pingIntervalMs: 20 } })

/** Each starts a call. */
const states: Record<string, () => Promise<unknown>> = {
  'waits for its answer': () => slowRead({}),
  'is a request of its own': () => slowRead({ batch: false }),
  'waits with others (lingerMs)': () => clientOf(servers.plain, { batch: { lingerMs: 100 } }).storeBlob('demo', 'x'),
  'waits for its turn (maxCalls)'() {
    const client = clientOf(servers.plain, { concurrency: { maxCalls: 1 } })
    return Promise.allSettled([client.getBlob('demo', missing), client.getBlob('demo', missing)])
  },
  'waits for a token': () =>
    clientOf(servers.plain, { token: () => pause().then(() => 'secret') }).getRepository('demo'),
  'waits in an interceptor of calls': () =>
    clientOf(servers.plain, { interceptors: [(call, next) => pause().then(() => next(call))] }).getRepository('demo'),
  'waits in an interceptor of requests': () =>
    clientOf(servers.plain, {
      interceptors: [{ request: (request, next) => pause().then(() => next(request)) }]
    }).getRepository('demo'),
  'waits between two attempts': () => clientOf(servers.refused, { retry: { maxAttempts: 3 } }).getRepository('demo'),
  'waits between two attempts of a batch': () =>
    clientOf(servers.plain, { retry: { maxAttempts: 3 } }).batch('demo', [{ storeTree: { entries: [] } }]),
  'waits for a circuit breaker': () =>
    clientOf(servers.refused, { breaker: { failures: 1, waitMs: 100 }, retry: { maxAttempts: 3 } }).getRepository(
      'demo'
    ),
  'is asked for twice': () => slowRead({ hedge: { delayMs: 20 } }),
  'warms up': () => clientOf(servers.silent, { timeoutMs }).warmUp(),
  'waits for a connection': () => slowRead({ timeoutMs }, servers.backlog),
  'waits for the first bytes of a server': () => slowRead({ timeoutMs }, servers.silent),
  'waits for a server that is mute': () => slowRead({ timeoutMs }, servers.mute),
  'waits for a server that does not read': () => {
    const client = clientOf(servers.blocked, { timeoutMs: 400, batch: false })
    // More than the kernel's buffers take, and nothing that compresses.
    const contents = Array.from({ length: 8 }, () => randomBytes(1 << 20))
    return Promise.allSettled(contents.map((content) => client.storeBlob('demo', content)))
  },
  'waits for a proxy': () => slowRead({ timeoutMs, connection: { proxy: servers.silentProxy } }),
  'goes through a proxy': () => slowRead({ connection: { proxy: servers.proxy } }),
  'goes over TLS': () => slowRead({}, servers.tls),
  'waits for the PING on an idle connection'() {
    const first = used.getRepository('demo')
    return first.then(() => new Promise((resolve) => setTimeout(resolve, 60))).then(() => used.getRepository('demo'))
  },
  'commits files': () =>
    clientOf(servers.plain).commitFiles('demo', { branch: 'main', changes: { a: 'a', b: 'b' }, message: 'x', author }),
  'waits for a signature'() {
    const sign = () => pause().then(() => '-----BEGIN SSH SIGNATURE-----\n')
    const commit = { branch: 'signed', changes: { a: 'a' }, message: 'x', author, sign }
    return clientOf(servers.plain).commitFiles('demo', commit)
  },
  'waits for the source of an upload, and for a server that does not read': () =>
    Promise.allSettled([
      clientOf(servers.plain).repository('demo').upload(slowSource()),
      clientOf(servers.blocked, { timeoutMs }).repository('demo').upload(slowSource(), { timeoutMs, size: 2000 })
    ]),
  async 'walks pages, and stops in the middle'() {
    for (const name of ['a', 'b', 'c']) {
      await used.commitFiles('demo', { branch: name, changes: { [name]: name }, message: 'x', author })
    }
    return used.repository('demo').refs({ pageSize: 1 }).next()
  },
  async 'closes the client'() {
    await used.close()
  }
}
if (transport !== 'grpc') {
  states['goes over HTTP/1.1'] = () => slowRead({}, servers.http1)
  states['waits for a server of HTTP/1.1'] = () => slowRead({ timeoutMs: 60 }, servers.http1)
}

let now = 0
setInterval(() => now++, 25).unref()
const departures: Departure[] = []
const left = Object.entries(states)
let state = ''
let outcome: string | undefined
let settledAt = 0
let resources: string[] = []

function begin(): void {
  const next = left.shift()
  if (next === undefined) return console.log(JSON.stringify(departures))
  state = next[0]
  outcome = undefined
  const settle = (how: string) => {
    outcome = how
    settledAt = now
    setImmediate(() => {
      resources = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate')
    })
  }
  next[1]().then(
    () => settle('done'),
    (error) => settle(`${error.code}${error.reason ? ` ${error.reason}` : ''}`)
  )
}

process.on('beforeExit', () => {
  if (state !== '') departures.push({ state, outcome, ticks: now - settledAt, resources })
  if (departures.length <= Object.keys(states).length) begin()
})
