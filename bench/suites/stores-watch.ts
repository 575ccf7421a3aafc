/** The suite of watches over several servers: a move that one server made, seen at another one. */
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { startDurableEngine } from '../contenders/stores.ts'
import type { Contender, Suite } from '../measure/scenario.ts'
import { type Moves, move, p99, until, Watcher } from '../measure/watched-moves.ts'

const suite = 'stores-watch'
const author = { name: 'Bench', email: 'bench@example.org' }
const watches = 20

function watching(name: string, where: 'here' | 'elsewhere'): Contender {
  return {
    name,
    async open() {
      const engine = await startDurableEngine()
      const start = () => startServerProcess('--store', 'postgres', '--database', engine.url)
      const servers = [await start(), await start()] as const
      const clients = servers.map(({ http }) => createClient({ endpoint: http.origin, transport: 'msgpack' }))
      const [writer, elsewhere] = clients.map((client) => client.repository('bench'))
      if (!writer || !elsewhere) throw new Error('there are two servers')
      await writer.createRepository()
      const commit = async (text: string) =>
        (await writer.commitFiles({ branch: 'main', changes: { a: text }, message: text, author })).oid
      const [a, b] = [await commit('a'), await commit('b')]
      const moves: Moves = { atMs: [], oids: [] }
      const watched = where === 'here' ? writer : elsewhere
      const watchers = Array.from({ length: watches }, () => new Watcher(watched, moves))
      await until(() => watchers.every(({ started }) => started), 60_000)
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
          await Promise.all(servers.map((server) => server.stop()))
          await engine.stop()
        }
      }
    }
  }
}

export const storesWatch: Suite = {
  name: suite,
  about: 'How long a move of a ref takes to 20 watches at the server that made it, and at another one on its database.',
  scenarios: () => [
    {
      suite,
      name: `${watches} watches, a ref moved 100 times a second: p99 from the call to each watch`,
      unit: 'ms',
      better: 'less',
      baseline: 'at the same server',
      contenders: [watching('at the same server', 'here'), watching('at another server', 'elsewhere')]
    }
  ]
}
