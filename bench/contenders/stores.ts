/** Servers on each store: the Git store as it was, as it is, and the store on the PostgreSQL wire, each durable. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { startServerProcess } from '../../server-fixture/process.ts'
import { startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'
import { createClient, type Repository } from '../../src/index.ts'
import { startBenchServer } from '../servers/start.ts'
import { runGit } from './git-drivers.ts'

/** The last commit before every write of a ref became exact under its key. */
const beforeExactness = '7820ae4843ac049562b31480941424fd6318cc74'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** A server with its client and data. */
export interface StoreBench {
  readonly repository: Repository
  /** Bytes of the data on disk, once housekeeping has packed them. */
  bytesOnDisk(): Promise<number>
  close(): Promise<void>
}

export type StoreKind = keyof typeof stores

/** By the names of contenders. */
export const stores = {
  'Git store, before': () => gitStoreOf(beforeExactness),
  'Git store': () => gitStore(startServerProcess, createClient),
  'PostgreSQL store': () => postgresStore(0)
}

/** The client and the server of a commit, which need nothing to be built. */
async function gitStoreOf(commit: string): Promise<StoreBench> {
  const code = await mkdtemp(join(tmpdir(), 'blobwire-bench-code-'))
  const archive = `${code}.tar`
  await run('git', ['-C', root, 'archive', '--output', archive, commit])
  await run('tar', ['-xf', archive, '-C', code])
  await rm(archive)
  await symlink(join(root, 'node_modules'), join(code, 'node_modules'))
  const load = (path: string) => import(pathToFileURL(join(code, path)).href)
  const { startServerProcess: start } = (await load('server-fixture/process.ts')) as Starter
  const { createClient: create } = (await load('src/index.ts')) as { createClient: typeof createClient }
  const bench = await gitStore(start, create)
  const close = async () => {
    await bench.close()
    await rm(code, { recursive: true, force: true })
  }
  return { ...bench, close }
}

interface Starter {
  readonly startServerProcess: (...flags: string[]) => Promise<{ readonly http: URL; stop(): Promise<void> }>
}

async function gitStore(start: Starter['startServerProcess'], create: typeof createClient): Promise<StoreBench> {
  const data = await mkdtemp(join(tmpdir(), 'blobwire-bench-'))
  const server = await start('--store', 'git', '--data', data)
  const client = create({ endpoint: server.http.origin, transport: 'msgpack' })
  await client.createRepository('bench')
  return {
    repository: client.repository('bench'),
    async bytesOnDisk() {
      const gitDir = join(data, 'bench.git')
      await runGit([`--git-dir=${gitDir}`, 'repack', '-adfq'])
      return bytesOf(join(gitDir, 'objects'))
    },
    async close() {
      await client.close()
      await server.stop()
      await rm(data, { recursive: true, force: true })
    }
  }
}

async function bytesOf(directory: string): Promise<number> {
  const { stdout } = await run('du', ['--summarize', '--block-size=1', directory])
  return Number.parseInt(stdout, 10)
}

/** The database of npm, which syncs as in production. @param addedMs of each round trip between server and database */
export async function postgresStore(addedMs: number): Promise<StoreBench> {
  // Data for tests are not synced unless that is asked for.
  const settings = { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', max_wal_size: '1GB' }
  const engine = await startEngine({ settings })
  const proxy = addedMs > 0 ? await startBenchServer('delay-proxy', String(engine.port), String(addedMs)) : undefined
  const url = new URL(engine.url)
  url.port = String(proxy?.port ?? engine.port)
  const server = await startServerProcess('--store', 'postgres', '--database', url.href)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  await client.createRepository('bench')
  return {
    repository: client.repository('bench'),
    async bytesOnDisk() {
      const { default: pg } = await import('pg')
      const database = new pg.Client(engine.url)
      await database.connect()
      const { rows } = await database.query(
        "SELECT pg_total_relation_size('objects') + pg_total_relation_size('chunks') AS bytes"
      )
      await database.end()
      return Number(rows[0].bytes)
    },
    async close() {
      await client.close()
      await server.stop()
      await proxy?.stop()
      await engine.stop()
    }
  }
}
