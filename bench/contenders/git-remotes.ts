/** Remotes with the same history of 10,000 objects: those of this server on each store, and one of `git daemon`. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom } from '../../server-fixture/faults/random.ts'
import { startServerProcess } from '../../server-fixture/process.ts'
import { freePort } from '../../server-fixture/store/postgres/embedded/engine.ts'
import { createClient, type Repository } from '../../src/index.ts'
import { runGit } from './git-drivers.ts'
import { startDurableEngine } from './stores.ts'

const author = { name: 'Bench', email: 'bench@example.org' }
const firstFiles = 5_000
const directories = 50
const commits = 240
const filesOfCommit = 10
const words = 'lorem ipsum dolor sit amet consectetur adipiscing elit function return const import class'.split(' ')

/** A remote, and the repository behind it. */
export interface Remote {
  readonly url: string
  readonly repository: Repository
  /** Has the next clone find no export. */
  forgetExports(): Promise<void>
  /** Another repository with the same history, that a clone has found already. */
  copy(): Promise<Copy>
  close(): Promise<void>
}

/** A repository of a remote. */
export interface Copy extends Pick<Remote, 'url' | 'repository'> {
  remove(): Promise<void>
}

/** Files of some 1.5 KB, then edits of ten of them in one commit. */
async function writeHistory(repository: Repository): Promise<void> {
  const random = seededRandom(1)
  const line = () => Array.from({ length: 8 }, () => words[Math.floor(random() * words.length)]).join(' ')
  const files = Array.from({ length: firstFiles }, () => Array.from({ length: 30 }, line))
  const pathOf = (index: number) => `d${index % directories}/file${index}.txt`
  const all = Object.fromEntries(files.map((lines, index) => [pathOf(index), lines.join('\n')]))
  await repository.commitFiles({ branch: 'main', changes: all, message: 'first', author })
  for (let commit = 0; commit < commits; commit++) {
    const changes: Record<string, string> = {}
    for (let file = 0; file < filesOfCommit; file++) {
      const index = Math.floor(random() * firstFiles)
      const lines = files[index] as string[]
      lines[Math.floor(random() * lines.length)] = line()
      changes[pathOf(index)] = lines.join('\n')
    }
    await repository.commitFiles({ branch: 'main', changes, message: 'an edit', author })
  }
}

export type RemoteStore = 'git' | 'memory' | 'postgres'

/** This server, and its remote. */
export async function openRemote(store: RemoteStore, flags: readonly string[] = []): Promise<Remote> {
  const base = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const cache = join(base, 'cache')
  const engine = store === 'postgres' ? await startDurableEngine() : undefined
  const cached = ['--git-cache', cache]
  const own = {
    git: ['--data', join(base, 'data')],
    memory: cached,
    postgres: ['--database', engine?.url ?? '', ...cached]
  }[store]
  const server = await startServerProcess('--store', store, ...own, ...flags)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  await client.createRepository('bench')
  const repository = client.repository('bench')
  await writeHistory(repository)
  const url = `${server.http.origin}/bench.git`
  const mirror = join(base, 'mirror')
  let copies = 0
  return {
    url,
    repository,
    async copy() {
      if (copies === 0) await runGit(['clone', '--quiet', '--bare', url, mirror])
      const name = `copy${++copies}`
      await client.createRepository(name)
      const target = `${server.http.origin}/${name}.git`
      await runGit(['-C', mirror, 'push', '--quiet', target, 'main'])
      await runGit(['clone', '--quiet', '--bare', target, join(base, name)])
      return {
        url: target,
        repository: client.repository(name),
        async remove() {
          await client.deleteRepository(name)
          await rm(join(base, name), { recursive: true, force: true })
        }
      }
    },
    forgetExports: () => rm(cache, { recursive: true, force: true }),
    async close() {
      await client.close()
      await server.stop()
      await engine?.stop()
      await rm(base, { recursive: true, force: true })
    }
  }
}

/** `git daemon` on the directory of a Git store. */
export async function openDaemon(): Promise<Remote> {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const server = await startServerProcess('--store', 'git', '--data', data)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  await client.createRepository('bench')
  await writeHistory(client.repository('bench'))
  const port = await freePort()
  const flags = ['--reuseaddr', '--export-all', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${data}`, data]
  // The program itself: `git daemon` would leave it behind where it is ended.
  const program = join((await runGit(['--exec-path'])).trim(), 'git-daemon')
  const daemon = spawn(program, flags, { stdio: 'ignore' })
  await listening(port, daemon)
  return {
    url: `git://127.0.0.1:${port}/bench.git`,
    repository: client.repository('bench'),
    forgetExports: async () => undefined,
    copy: () => Promise.reject(new Error('the daemon serves one repository')),
    async close() {
      daemon.kill()
      await client.close()
      await server.stop()
      await rm(data, { recursive: true, force: true })
    }
  }
}

async function listening(port: number, daemon: ChildProcess): Promise<void> {
  for (;;) {
    if (daemon.exitCode !== null) throw new Error(`git daemon ended with ${daemon.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false
    )
    socket.destroy()
    if (isOpen) return
    await sleep(20)
  }
}
