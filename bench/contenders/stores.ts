/** Servers on each store: the Git store as it was, as it is, and the store on the PostgreSQL wire, each durable. */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { startServerProcess } from '../../server-fixture/process.ts'
import { type Engine, startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'
import { createClient, type Repository } from '../../src/index.ts'
import { startBenchServer } from '../servers/start.ts'
import { runGit } from './git-drivers.ts'

/** The last commit before every write of a ref became exact under its key. */
const beforeExactness = '7820ae4843ac049562b31480941424fd6318cc74'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))

/** Sizes in bytes on disk. */
interface Sizes {
  /** Objects with their indexes. */
  readonly objectBytes: number
  /** Refs, request keys, events and whatever else the store keeps. */
  readonly otherBytes: number
}

/** A server with its client and data. */
export interface StoreBench {
  readonly repository: Repository
  /** Of the data on disk; objects of the Git store as one pack, made anew with the deltas of `git gc`. */
  sizes(): Promise<Sizes>
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
    async sizes() {
      const gitDir = join(data, 'bench.git')
      // Packs that the store keeps are left alone by git, and others reuse what the store wrote in haste.
      const packed = join(data, 'packed.git')
      await runGit(['clone', '--quiet', '--mirror', `file://${gitDir}`, packed])
      await runGit([`--git-dir=${packed}`, 'repack', '-a', '-d', '-F', '-q', '--depth=50', '--window=10'])
      const objectBytes = await bytesOf(join(packed, 'objects'))
      await rm(packed, { recursive: true })
      return { objectBytes, otherBytes: (await bytesOf(data)) - (await bytesOf(join(gitDir, 'objects'))) }
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

/** The database of npm, which syncs as in production. */
export function startDurableEngine(): Promise<Engine> {
  return startEngine({
    settings: { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on', max_wal_size: '1GB' }
  })
}

/** @param addedMs of each round trip between server and database */
export async function postgresStore(addedMs: number): Promise<StoreBench> {
  const engine = await startDurableEngine()
  const proxy =
    addedMs > 0 ? await startBenchServer('delay-proxy', String(engine.port), String(addedMs), 'exact') : undefined
  const url = new URL(engine.url)
  url.port = String(proxy?.port ?? engine.port)
  const server = await startServerProcess('--store', 'postgres', '--database', url.href)
  const client = createClient({ endpoint: server.http.origin, transport: 'msgpack' })
  await client.createRepository('bench')
  return {
    repository: client.repository('bench'),
    async sizes() {
      const { default: pg } = await import('pg')
      const database = new pg.Client(engine.url)
      await database.connect()
      const { rows } = await database.query(
        `SELECT relname IN ('objects', 'chunks') AS has_objects, sum(pg_total_relation_size(oid))::bigint AS bytes
        FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace GROUP BY 1`
      )
      await database.end()
      const bytes = (hasObjects: boolean) => Number(rows.find(({ has_objects: has }) => has === hasObjects).bytes)
      return { objectBytes: bytes(true), otherBytes: bytes(false) }
    },
    async close() {
      await client.close()
      await server.stop()
      await proxy?.stop()
      await engine.stop()
    }
  }
}
