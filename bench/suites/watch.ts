/** The suite of watches: how long a move takes to all who watch, and whether each of them sees every move in order. */
import { setTimeout as sleep } from 'node:timers/promises'
import { startServerProcess } from '../../server-fixture/process.ts'
import { type Client, createClient, type Repository } from '../../src/index.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

type Transport = 'json' | 'msgpack' | 'grpc'

const name = 'refs/heads/main'
const author = { name: 'A', email: 'a@example.com' }
const movesPerSecond = 100

/** When each move was asked for, and where it went. */
interface Moves {
  readonly atMs: number[]
  readonly oids: string[]
}

/** One watch: the time that each move took, checked to be the next one. */
class Watcher {
  readonly #signal = new AbortController()
  readonly #ended: Promise<void>
  taken = 0
  started = false
  tookMs: number[] = []

  constructor(repository: Repository, moves: Moves) {
    this.#ended = this.#follow(repository, moves).catch((error: unknown) => {
      if (!this.#signal.signal.aborted) throw error
    })
  }

  async end(): Promise<void> {
    this.#signal.abort()
    await this.#ended
  }

  async #follow(repository: Repository, { atMs, oids }: Moves): Promise<void> {
    for await (const { kind, moves } of repository.watch({ signal: this.#signal.signal })) {
      this.started = true
      if (kind !== 'moves') continue
      const place = this.taken++
      if (moves[0]?.newOid !== oids[place] || moves.length !== 1) throw new Error(`move ${place} came out of order`)
      this.tookMs.push(performance.now() - (atMs[place] as number))
    }
  }
}

async function until(isSo: () => boolean, inMs: number): Promise<void> {
  const end = performance.now() + inMs
  while (!isSo()) {
    if (performance.now() > end) throw new Error('a watcher did not see every move')
    await sleep(5)
  }
}

/** Moves the ref 100 times a second, for so long. */
async function move(
  repository: Repository,
  moves: Moves,
  ways: readonly [string, string],
  durationMs: number
): Promise<void> {
  const start = performance.now()
  for (let count = 0; performance.now() < start + durationMs || count < 10; count++) {
    const place = moves.oids.length
    const [expectedOid, newOid] = place % 2 === 0 ? ways : ways.toReversed()
    moves.oids.push(newOid as string)
    moves.atMs.push(performance.now())
    await repository.updateRefs([{ name, expectedOid: expectedOid as string, newOid: newOid as string }])
    await sleep(Math.max(0, start + ((count + 1) * 1000) / movesPerSecond - performance.now()))
  }
}

function watching(label: string, watches: number, sessions: number, transport: Transport): Contender {
  return {
    name: label,
    async open() {
      const server = await startServerProcess()
      const endpoint = transport === 'grpc' ? server.grpc.href.replace(/^http/, 'grpc') : server.http.origin
      const clients: Client[] = []
      const repositoryOf = () => {
        const client = createClient({ endpoint, transport })
        clients.push(client)
        return client.repository('bench')
      }
      const writer = repositoryOf()
      await writer.createRepository()
      const commit = (message: string) =>
        writer.commitFiles({ branch: 'main', changes: { a: message }, message, author })
      const [a, b] = [(await commit('a')).oid, (await commit('b')).oid]
      const moves: Moves = { atMs: [], oids: [] }
      const watched = Array.from({ length: sessions }, repositoryOf)
      const watchers: Watcher[] = []
      for (let index = 0; index < watches; index++) {
        watchers.push(new Watcher(watched[index % sessions] as Repository, moves))
        // Connections are opened a few at a time.
        if (index % 20 === 19 || index === watches - 1)
          await until(() => watchers.every(({ started }) => started), 60_000)
      }
      return {
        async run(durationMs) {
          for (const watcher of watchers) watcher.tookMs = []
          await move(writer, moves, [b, a], durationMs)
          await until(() => watchers.every(({ taken }) => taken === moves.oids.length), 10_000)
          const all = Float64Array.from(watchers.flatMap(({ tookMs }) => tookMs)).sort()
          return all[Math.floor(all.length * 0.99)] ?? 0
        },
        async close() {
          await Promise.all(watchers.map((watcher) => watcher.end()))
          await Promise.all(clients.map((client) => client.close()))
          await server.stop()
        }
      }
    }
  }
}

const labels = { msgpack: 'MessagePack', json: 'JSON', grpc: 'gRPC' } as const

const scenario = (watches: number, quick: boolean): Scenario => ({
  suite: 'watch',
  name: `${watches} watches, a ref moved 100 times a second: p99 from the call to each watch`,
  unit: 'ms',
  better: 'less',
  baseline: 'one watch, MessagePack',
  contenders: [
    watching('one watch, MessagePack', 1, 1, 'msgpack'),
    ...(['msgpack', 'json', 'grpc'] as const).map((transport) =>
      watching(`ten sessions, ${labels[transport]}`, watches, 10, transport)
    ),
    ...(quick ? [] : [watching('a session each, MessagePack', watches, watches, 'msgpack')])
  ]
})

/** Many watches of one repository. */
export const watch: Suite = {
  name: 'watch',
  about: 'how long a move takes to 1,000 watches, each of which sees every move in order',
  scenarios: ({ quick }) => [scenario(quick ? 50 : 1000, quick)]
}
