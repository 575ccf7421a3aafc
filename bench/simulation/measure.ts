/** Measures the costs of the simulation: a server on the PostgreSQL store, with a database of its own, on this machine. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startServerProcess } from '../../server-fixture/process.ts'
import { startEngine } from '../../server-fixture/store/postgres/embedded/engine.ts'
import { createClient, type Repository } from '../../src/index.ts'
import { median } from '../measure/statistics.ts'
import { type Costs, measured } from './costs.ts'
import type { Kind } from './shard.ts'

/** Ticks of /proc/PID/stat in a second. */
const ticks = 100
const manyCallers = 100
/** Calls of a lone caller, and of many. */
const counts: Readonly<Record<Kind, readonly [number, number]>> = {
  put: [1500, 60_000],
  read: [1500, 60_000],
  commit: [800, 6000]
}

/** Processor time of a process and of its children, in microseconds. */
function processorUs(pid: number): number {
  let sum = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      // The name of the program is in brackets, and may hold anything.
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')
      const [, parent, user, system] = [fields[0], fields[1], fields[11], fields[12]].map(Number)
      if (Number(name) === pid || parent === pid) sum += (user as number) + (system as number)
    } catch {
      // It has ended.
    }
  }
  return (sum / ticks) * 1e6
}

/** Costs of a call. */
interface CallCosts {
  readonly serverUs: number
  readonly databaseUs: number
  /** Transactions of the database; a statement of its own is one. */
  readonly transactions: number
}

interface Subject {
  readonly serverPid: number
  readonly enginePid: number
  /** Up to now; takes a while. */
  transactions(): Promise<number>
}

type Call = (repository: Repository, index: number) => Promise<unknown>

/** Of this many calls by this many callers, which begin with the call of this index. */
interface Load {
  readonly first: number
  readonly count: number
  readonly callers: number
  readonly call: (index: number) => Promise<unknown>
}

async function costsOf(
  { serverPid, enginePid, transactions }: Subject,
  { first, count, callers, call }: Load
): Promise<CallCosts> {
  const transactionsBefore = await transactions()
  const before = [processorUs(serverPid), processorUs(enginePid)] as const
  let next = first
  const work = async () => {
    while (next < first + count) await call(next++)
  }
  await Promise.all(Array.from({ length: callers }, work))
  const after = [processorUs(serverPid), processorUs(enginePid)] as const
  return {
    serverUs: (after[0] - before[0]) / count,
    databaseUs: (after[1] - before[1]) / count,
    transactions: ((await transactions()) - transactionsBefore) / count
  }
}

/** A sync of 8 KiB behind a file, the middle of 200. */
function syncUs(): number {
  const directory = mkdtempSync(join(tmpdir(), 'blobwire-sync-'))
  const file = openSync(join(directory, 'log'), 'w')
  const took = Array.from({ length: 200 }, () => {
    writeSync(file, Buffer.alloc(8192, 1))
    const start = performance.now()
    fdatasyncSync(file)
    return (performance.now() - start) * 1000
  })
  closeSync(file)
  rmSync(directory, { recursive: true })
  return median(took)
}

/** Of a lone caller and of many: what each statement costs, and what each call in it. */
function split(lone: CallCosts, many: CallCosts): { readonly statement: number; readonly row: number } {
  const share = many.transactions / lone.transactions
  const statement = (lone.databaseUs - many.databaseUs) / (1 - share)
  return { statement, row: lone.databaseUs - statement }
}

/** The costs on this machine. The round trip is an assumption: that of a data centre. */
export async function measureCosts(): Promise<Costs> {
  const engine = await startEngine()
  const statistics = new pg.Client(engine.url)
  await statistics.connect()
  /** Calls of one kind on a server that has nothing in memory yet. */
  const measure = async (kind: Kind, call: Call) => {
    const server = await startServerProcess('--store', 'postgres', '--database', engine.url)
    const client = createClient(server.http.href)
    await client.createRepository('costs')
    const repository = client.repository('costs')
    const subject = { serverPid: server.pid, enginePid: engine.pid, transactions }
    const [few, many] = counts[kind]
    const load = { call: (index: number) => call(repository, index) }
    const lone = await costsOf(subject, { ...load, first: 0, count: few, callers: 1 })
    const crowd = await costsOf(subject, { ...load, first: few, count: many, callers: manyCallers })
    await client.close()
    await server.stop()
    process.stderr.write(`${kind}: a lone call ${told(lone)}, one of ${manyCallers} callers ${told(crowd)}\n`)
    return { server: crowd.serverUs, ...split(lone, crowd) }
  }
  const transactions = async () => {
    // A connection that has become idle tells its statistics within ten seconds.
    await sleep(11_000)
    const text = 'SELECT sum(xact_commit) AS count FROM pg_stat_database WHERE datname = current_database()'
    return Number((await statistics.query<{ count: string }>(text)).rows[0]?.count)
  }
  const oids: string[] = []
  const put = await measure('put', async (repository, index) => {
    oids[index] = (
      await repository.storeBlob(Buffer.from(`blob ${index} of fifty bytes, as an application has them`))
    ).oid
  })
  const read = await measure('read', (repository, index) => repository.getBlob({ oid: oids[index] as string }))
  const commit = await measure('commit', (repository, index) =>
    repository.commitFiles({
      branch: `branch-${index % manyCallers}`,
      message: `commit ${index}`,
      author: { name: 'A', email: 'a@example.com' },
      changes: { 'a/b.txt': `text ${index}` }
    })
  )
  await statistics.end()
  await engine.stop()
  return {
    server: { read: read.server, put: put.server, commit: commit.server },
    database: {
      read: read.statement,
      put: put.statement,
      // Its first question is a statement of its own.
      commit: commit.statement - read.statement,
      readRow: read.row,
      putRow: put.row,
      commitRow: commit.row - read.row
    },
    syncUs: syncUs(),
    roundTripUs: measured.roundTripUs
  }
}

const told = ({ serverUs, databaseUs, transactions }: CallCosts) =>
  `${Math.round(serverUs)} us of the server, ${Math.round(databaseUs)} us and ${transactions.toPrecision(2)} transactions of the database`
