/**
 * `npm run soak:contention -- [--counters N] [--locks N]`: many writers under one name, on all transports, while
 * connections are cut and the server is killed. Ends with 1 where a counter is not exact, or a lock has not one holder.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type ServerProcess, startServerProcess } from '../server-fixture/process.ts'
import { BlobwireError, type Client, createClient, type Repository } from '../src/index.ts'
import { startTcpProxy, type TcpProxy } from '../tcp-proxy/tcp-proxy.ts'

const { values } = parseArgs({
  options: {
    counters: { type: 'string', default: '50' },
    locks: { type: 'string', default: '1000' }
  }
})

const transports = ['json', 'msgpack', 'grpc'] as const
const author = { name: 'One', email: 'one@example.org' }
const writers = 20
const lockers = 50
const incrementsEach = 2
const directory = mkdtempSync(join(tmpdir(), 'blobwire-contention-'))
const wrong: string[] = []
process.on('uncaughtException', (error) => wrong.push(`uncaught: ${error.stack}`))
process.on('unhandledRejection', (error) => wrong.push(`unhandled: ${(error as Error)?.stack ?? error}`))

/** A server on one data directory that can be killed and started again, behind proxies that keep their ports. */
class Server {
  #process: ServerProcess
  readonly http: TcpProxy
  readonly grpc: TcpProxy

  private constructor(process: ServerProcess, http: TcpProxy, grpc: TcpProxy) {
    this.#process = process
    this.http = http
    this.grpc = grpc
  }

  static async start(): Promise<Server> {
    const process = await startServerProcess('--store', 'git', '--data', directory)
    return new Server(process, await startTcpProxy(process.http.href), await startTcpProxy(process.grpc.href))
  }

  client(transport: (typeof transports)[number]): Client {
    const endpoint = transport === 'grpc' ? `grpc://127.0.0.1:${this.grpc.port}` : `http://127.0.0.1:${this.http.port}`
    const retry = { maxAttempts: 100, baseMs: 10, maxMs: 200, budgetPerSecond: 10_000 }
    return createClient({ endpoint, transport, timeoutMs: 60_000, retry, breaker: false })
  }

  /** Everything that was under way has an unknown end. */
  async kill(): Promise<void> {
    await this.#process.kill()
    for (const proxy of [this.http, this.grpc]) proxy.reset()
    this.#process = await startServerProcess('--store', 'git', '--data', directory)
    this.http.target = this.#process.http.href
    this.grpc.target = this.#process.grpc.href
  }

  async stop(): Promise<void> {
    await this.#process.stop()
    await Promise.all([this.http, this.grpc].map((proxy) => proxy[Symbol.asyncDispose]()))
  }
}

/** Reads the counter, writes one more, and again where another was faster. All writers have one name. */
async function increment(repo: Repository, byGuard: boolean): Promise<void> {
  for (;;) {
    const { commit } = await repo.getCommit('main')
    const { content, oid } = await repo.getBlob({ revision: commit.oid, path: 'counter' })
    const next = String(Number(new TextDecoder().decode(content)) + 1)
    const change = byGuard ? { content: next, expectedOid: oid } : next
    const head = byGuard ? {} : { expectedHead: commit.oid }
    try {
      await repo.commitFiles({ branch: 'main', changes: { counter: change }, message: 'one more', author, ...head })
      return
    } catch (error) {
      if (!(error instanceof BlobwireError) || !(error.is('ref_mismatch') || error.is('path_mismatch'))) throw error
    }
  }
}

async function counter(server: Server, run: number): Promise<void> {
  const name = `counter-${run}`
  const clients = transports.map((transport) => server.client(transport))
  const [first] = clients as [Client]
  await first.createRepository(name)
  await first.commitFiles(name, { branch: 'main', changes: { counter: '0' }, message: 'zero', author })
  const work = Promise.all(
    Array.from({ length: writers }, async (_, index) => {
      const repo = (clients[index % clients.length] as Client).repository(name)
      for (let count = 0; count < incrementsEach; count++) await increment(repo, run % 2 === 0)
    })
  )
  const ended = work.then(() => true)
  // The kill comes while they write, a little later in each run.
  if (!(await Promise.race([ended, sleep(20 + ((run * 37) % 200), false)]))) await server.kill()
  await work
  const { content } = await first.getBlob(name, { revision: 'main', path: 'counter' })
  const found = new TextDecoder().decode(content)
  const expected = String(writers * incrementsEach)
  if (found !== expected) wrong.push(`${name}: ${found}, not ${expected}`)
  await Promise.all(clients.map((client) => client.close()))
}

/** Every round, all create one ref that may not exist; connections are cut while answers are on their way. */
async function locks(server: Server, rounds: number): Promise<{ holders: number; cuts: number }> {
  const clients = transports.map((transport) => server.client(transport))
  const [first] = clients as [Client]
  await first.createRepository('locks')
  const { oid: head } = await first.commitFiles('locks', { branch: 'main', changes: { a: '' }, message: 'm', author })
  let holders = 0
  let cuts = 0
  for (let round = 0; round < rounds; round++) {
    const name = `refs/locks/${round}`
    const calls = Array.from({ length: lockers }, (_, index) =>
      (clients[index % clients.length] as Client).updateRefs('locks', [{ name, expectedOid: null, newOid: head }]).then(
        () => 1,
        (error) => {
          if (error instanceof BlobwireError && error.is('ref_mismatch')) return 0
          throw error
        }
      )
    )
    await sleep(round % 7)
    for (const proxy of [server.http, server.grpc]) {
      cuts += proxy.open
      proxy.reset()
    }
    const held = (await Promise.all(calls)).reduce<number>((sum, each) => sum + each, 0)
    if (held !== 1) wrong.push(`${name}: ${held} holders`)
    holders += held
  }
  await Promise.all(clients.map((client) => client.close()))
  return { holders, cuts }
}

const server = await Server.start()
for (let run = 0; run < Number(values.counters); run++) await counter(server, run)
console.log(`counters: ${values.counters} runs of ${writers} writers, each with a killed server`)
const { holders, cuts } = await locks(server, Number(values.locks))
console.log(`locks: ${holders} holders in ${values.locks} rounds of ${lockers} callers, ${cuts} connections cut`)
await server.stop()
rmSync(directory, { recursive: true, force: true })
for (const line of wrong.slice(0, 20)) console.error(line)
console.log(wrong.length === 0 ? 'exact' : `${wrong.length} wrong`)
process.exitCode = wrong.length === 0 ? 0 : 1
