/** The suite of Git over HTTP: clones beside `git daemon`, and calls beside clones. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runGit } from '../contenders/git-drivers.ts'
import { openDaemon, openRemote, type Remote, type RemoteStore } from '../contenders/git-remotes.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'
import { percentile } from '../servers/webhook-receivers.ts'

const author = { name: 'Bench', email: 'bench@example.org' }
const callers = 100
const clonesAtOnce = 20
/** So that a repository stays about as large, however fast its store is: each caller makes so many commits at most. */
const commitsOfCaller = 30

/** Clones beside the calls. */
interface Clones {
  readonly count: number
  /** Of their clients, which have the same cores as the server and its callers here. */
  readonly niceness: number
  /** They clone from `git daemon` instead: the machine has the same work, and the server none of it. */
  readonly fromDaemon?: boolean
}

/** Each run is one bare clone: a checkout would take the same time for all. Then git looks at the last one. */
function cloning(name: string, open: () => Promise<Remote>, isCold = false): Contender {
  return {
    name,
    async open() {
      const remote = await open()
      const base = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      let runs = 0
      let objects = 0
      return {
        facts: () => ({ objects }),
        async run() {
          const directory = join(base, `${++runs}`)
          if (isCold) await remote.forgetExports()
          const start = performance.now()
          await runGit(['clone', '--quiet', '--bare', remote.url, directory])
          const tookMs = performance.now() - start
          const counts = await runGit(['-C', directory, 'count-objects', '-v'])
          objects = Number(/^in-pack: (\d+)$/m.exec(counts)?.[1])
          return tookMs
        },
        async close() {
          await remote.close()
          if (runs > 0) await runGit(['-C', join(base, `${runs}`), 'fsck', '--full'])
          await rm(base, { recursive: true, force: true })
        }
      }
    }
  }
}

/** Commits of callers with a branch each; the value is the 99th percentile of their times. A call that fails is an error. */
function committing(name: string, store: RemoteStore, clones: Clones): Contender {
  return {
    name,
    async open() {
      const remote = await openRemote(store)
      const daemon = clones.fromDaemon ? await openDaemon() : undefined
      const base = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
      let runs = 0
      let calls = 0
      let cloned = 0
      return {
        facts: () => ({ calls, clones: cloned }),
        async run(durationMs) {
          const directory = join(base, `${++runs}`)
          const { url, repository, remove } = await remote.copy()
          let isOver = false
          const took: number[] = []
          const call = async (caller: number) => {
            for (let commit = 0; commit < commitsOfCaller && !isOver; commit++) {
              const start = performance.now()
              const changes = { [`d${caller % 50}/new.txt`]: `${runs} ${took.length}` }
              await repository.commitFiles({ branch: `b${caller}`, changes, message: 'Bench\n', author })
              took.push(performance.now() - start)
            }
          }
          const calling = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)))
          const clone = (index: number) =>
            runNice(clones.niceness, ['clone', '--quiet', '--bare', daemon?.url ?? url, join(directory, `${index}`)])
          if (clones.count > 0) await Promise.all(Array.from({ length: clones.count }, (_, index) => clone(index)))
          else await Promise.race([calling, sleep(3 * durationMs)])
          isOver = true
          await calling
          calls += took.length
          cloned += clones.count
          await remove()
          await rm(directory, { recursive: true, force: true })
          return percentile(took, 0.99)
        },
        async close() {
          await remote.close()
          await daemon?.close()
          await rm(base, { recursive: true, force: true })
        }
      }
    }
  }
}

/** @throws Error unless it exits with 0 */
async function runNice(niceness: number, args: readonly string[]): Promise<void> {
  const [status] = await once(
    spawn('nice', ['-n', `${niceness}`, 'git', ...args], { stdio: ['ignore', 'ignore', 'inherit'] }),
    'exit'
  )
  if (status !== 0) throw new Error(`git ${args.join(' ')} ended with ${status}`)
}

const suite = 'git-http'
const names = { git: 'Git store', memory: 'memory store', postgres: 'PostgreSQL store' } as const
const exported = ['memory', 'postgres'] as const
const daemon = cloning('git daemon', openDaemon)

const besideClones = (store: RemoteStore): Scenario => ({
  suite,
  name: `commits of ${callers} callers, ${names[store]}: p99`,
  unit: 'ms',
  better: 'less',
  baseline: 'without clones',
  contenders: [
    committing('without clones', store, { count: 0, niceness: 0 }),
    committing(`${clonesAtOnce} clones at once`, store, { count: clonesAtOnce, niceness: 0 }),
    committing(`${clonesAtOnce} clones of git daemon`, store, { count: clonesAtOnce, niceness: 0, fromDaemon: true }),
    // Clients have machines of their own elsewhere: here, their part of the work comes last.
    committing(`${clonesAtOnce} clones at once, clients last`, store, { count: clonesAtOnce, niceness: 19 })
  ]
})

/** Clones beside those of the daemon, exports included where there are any; and what clones cost the callers of the API. */
export const gitHttp: Suite = {
  name: suite,
  about: 'git clone over HTTP beside git daemon, and commits through the API while others clone.',
  scenarios: ({ quick }) => [
    {
      suite,
      name: 'clone of 10,000 objects, bare',
      unit: 'ms',
      better: 'less',
      baseline: 'git daemon',
      contenders: [
        daemon,
        ...(['git', ...exported] as const).map((kind) => cloning(names[kind], () => openRemote(kind)))
      ]
    },
    {
      suite,
      name: 'first clone of 10,000 objects, which are exported for it',
      unit: 'ms',
      better: 'less',
      baseline: 'git daemon',
      contenders: [daemon, ...exported.map((kind) => cloning(names[kind], () => openRemote(kind), true))]
    },
    ...(quick ? (['git'] as const) : (['git', ...exported] as const)).map(besideClones)
  ]
}
