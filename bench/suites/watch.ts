/** The suite of watches: how long a move takes to all who watch, and whether each of them sees every move in order. */
import { startServerProcess } from '../../server-fixture/process.ts'
import { type Client, createClient, type Repository } from '../../src/index.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'
import { type Moves, move, p99, until, Watcher } from '../measure/watched-moves.ts'

type Transport = 'json' | 'msgpack' | 'grpc'

const author = { name: 'A', email: 'a@example.com' }

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
          return p99(watchers)
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
