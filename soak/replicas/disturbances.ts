/** What three servers on one database and their clients have to bear. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerProcess, startServerProcess } from '../../server-fixture/process.ts'
import { copyTemplate } from '../../server-fixture/store/postgres/embedded/data-directory.ts'
import { giveToOwner } from '../../server-fixture/store/postgres/embedded/owner.ts'
import { startTestEngine, testBinaries } from '../../test/support/database-engine.ts'
import { startPair } from '../../test/support/replicated-engines.ts'
import { AuditedLoad, type Longest, type Totals } from './audited-load.ts'

const warmUpMs = 2000

/** The longest gaps and calls, one for each time. */
export interface Outcome extends Totals {
  /** In windows of the same length. */
  readonly before: readonly Longest[]
  readonly after: readonly Longest[]
}

/** Ends what was started, last first. */
class Cleanup {
  readonly #ends: (() => unknown)[] = []

  after(end: () => unknown): void {
    this.#ends.push(end)
  }

  async run(): Promise<void> {
    for (const end of this.#ends.toReversed()) await end()
  }
}

interface Stage {
  readonly servers: ServerProcess[]
  readonly urls: readonly string[]
  /** Lets the load run for a while, does something to the servers, and lets it run on for as long. */
  disturb(windowMs: number, act: () => Promise<unknown>): Promise<void>
}

async function onStage(
  open: (cleanup: Cleanup) => Promise<{ readonly urls: readonly string[]; play(stage: Stage): Promise<void> }>
): Promise<Outcome> {
  const cleanup = new Cleanup()
  try {
    const { urls, play } = await open(cleanup)
    const servers = await startServers(urls)
    cleanup.after(() => Promise.all(servers.map((server) => server.kill())))
    const load = await AuditedLoad.start(servers)
    await sleep(warmUpMs)
    const [before, after]: [Longest[], Longest[]] = [[], []]
    await play({
      servers,
      urls,
      async disturb(windowMs, act) {
        load.longest()
        await sleep(windowMs)
        before.push(load.longest())
        await act()
        await sleep(windowMs)
        after.push(load.longest())
      }
    })
    return { ...(await load.stop(urls)), before, after }
  } finally {
    await cleanup.run()
  }
}

const startServer = (urls: readonly string[], flags: readonly string[] = []) =>
  startServerProcess('--store', 'postgres', '--database', urls.join(','), ...flags)

async function startServers(urls: readonly string[]): Promise<ServerProcess[]> {
  return await Promise.all([0, 1, 2].map(() => startServer(urls)))
}

/** `kill -9` of one server after the other, each of which starts again before the next is killed. */
export const killServers = (times: number): Promise<Outcome> =>
  onStage(async (cleanup) => {
    const engine = await startTestEngine()
    cleanup.after(() => engine.stop())
    return {
      urls: [engine.url],
      async play({ servers, urls, disturb }) {
        for (let kill = 0; kill < times; kill++) {
          const victim = servers[kill % 3] as ServerProcess
          await disturb(1000, () => victim.kill())
          const ports = ['--http-port', victim.http.port, '--grpc-port', victim.grpc.port]
          servers[kill % 3] = await startServer(urls, ports)
          await sleep(warmUpMs)
        }
      }
    }
  })

/** `kill -9` of the database, which starts again at once. */
export const restartDatabase = (times: number): Promise<Outcome> =>
  onStage(async (cleanup) => {
    const directory = await mkdtemp(join(tmpdir(), 'blobwire-replicas-'))
    cleanup.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
    await giveToOwner(directory)
    const binaries = await testBinaries()
    const data = join(directory, 'data')
    await copyTemplate(data, binaries)
    let engine = await startTestEngine({ binaries, directory: data })
    cleanup.after(() => engine.kill())
    const { url, port } = engine
    return {
      urls: [url],
      async play({ disturb }) {
        for (let count = 0; count < times; count++) {
          await disturb(4000, async () => {
            await engine.kill()
            engine = await startTestEngine({ binaries, directory: data, port })
          })
        }
      }
    }
  })

/** `kill -9` of a primary, and promotion of its synchronous standby. */
export const failOver = (): Promise<Outcome> =>
  onStage(async (cleanup) => {
    const { primary, standby, promote } = await startPair(cleanup, { isSynchronous: true })
    return {
      urls: [primary.url, standby.url],
      async play({ disturb }) {
        await disturb(4000, async () => {
          await primary.kill()
          await promote()
        })
      }
    }
  })
