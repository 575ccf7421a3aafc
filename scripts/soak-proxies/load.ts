/** A mixed load that checks every answer, from one client with options that outlast the restart of a proxy. */
import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { type Client, type ClientStats, createClient, type TransportName } from '../../src/index.ts'

/** Callers at a time: of blobs, and of commits (each on a branch of its own). */
const blobCallers = 24
const committers = 4
/** Contents that the callers store and read in turn, in bytes; so the server's memory is bounded. */
const contentSizes = [0, 40, 200, 2000, 20_000, 200_000]
const contentsOfEachSize = 40
/** Between two calls of one caller, so that two cores are left for proxy and server. */
const pauseMs = 2
/** Failures that are kept word by word. */
const maxReasons = 5

/** What a load came to. */
export interface LoadResult {
  /** Calls that were answered, and rightly. */
  readonly good: number
  readonly failed: number
  /** The first few failures. */
  readonly reasons: readonly string[]
  /** The client's own counts at the end, before it was closed. */
  readonly stats: ClientStats
}

/** A load under way. */
export interface Load {
  /** Connections opened so far. */
  readonly connections: number
  /** Resolves when so many calls more have been answered, or `withinMs` is over: then false. */
  answered(more: number, withinMs: number): Promise<boolean>
  /** Lets every caller finish its call, and closes the client. */
  stop(): Promise<LoadResult>
}

class Tally {
  good = 0
  failed = 0
  stopped = false
  readonly reasons: string[] = []

  async count(name: string, call: () => Promise<void>): Promise<void> {
    try {
      await call()
      this.good++
    } catch (error) {
      this.failed++
      const { code = '', reason = '', sent = '', attempts = '' } = error as Record<string, unknown>
      const facts = [code, reason, sent, attempts].filter((fact) => fact !== '').join(' ')
      if (this.reasons.length < maxReasons) this.reasons.push(`${name}: ${facts}: ${(error as Error).message}`)
    }
    await wait(pauseMs)
  }
}

function expectSame(found: Uint8Array, expected: Uint8Array): void {
  if (!Buffer.from(expected).equals(found)) throw new Error('the content is another one')
}

type Repository = ReturnType<Client['repository']>

async function callBlobs(repo: Repository, contents: readonly Buffer[], tally: Tally): Promise<void> {
  while (!tally.stopped) {
    const content = contents[Math.floor(Math.random() * contents.length)] as Buffer
    let oid: string | undefined
    await tally.count('storeBlob', async () => {
      const stored = await repo.storeBlob(content)
      if (Number(stored.size) !== content.length) throw new Error('the size is another one')
      oid = stored.oid
    })
    if (oid === undefined) continue
    const address = { oid }
    await tally.count('getBlob', async () => expectSame((await repo.getBlob(address)).content, content))
  }
}

async function commit(repo: Repository, branch: string, tally: Tally): Promise<void> {
  const author = { name: 'Soak', email: 'soak@example.org' }
  let expectedHead: string | null = null
  for (let turn = 0; !tally.stopped; turn++) {
    const path = `folder/${turn % 20}.txt`
    const content = Buffer.from(`${branch} ${turn}\n`)
    let done = false
    await tally.count('commitFiles', async () => {
      const changes = { [path]: content }
      // The branch has one writer: a head that is not the last commit means that one was done twice or lost.
      const made = await repo.commitFiles({ branch, changes, message: `Turn ${turn}\n`, author, expectedHead })
      expectedHead = made.oid
      done = true
    })
    if (!done) return
    await tally.count('getBlob', async () =>
      expectSame((await repo.getBlob({ revision: branch, path })).content, content)
    )
  }
}

/** Starts the load on a repository made for it. @throws BlobwireError where that cannot be made */
export async function startLoad(endpoint: string, transport: TransportName): Promise<Load> {
  const client = createClient({
    endpoint,
    transport,
    retry: { maxAttempts: 10, baseMs: 100, maxMs: 1000, budgetPerSecond: 1000 },
    breaker: false,
    timeoutMs: 20_000
  })
  const repo = client.repository(`soak/${randomBytes(6).toString('hex')}`)
  try {
    await repo.createRepository()
  } catch (error) {
    await client.close()
    throw error
  }
  const tally = new Tally()
  const contents = contentSizes.flatMap((size) => Array.from({ length: contentsOfEachSize }, () => randomBytes(size)))
  const callers = [
    ...Array.from({ length: blobCallers }, () => callBlobs(repo, contents, tally)),
    ...Array.from({ length: committers }, (_none, index) => commit(repo, `branch-${index}`, tally))
  ]
  return {
    get connections() {
      return client.stats().connections.opened
    },
    async answered(more, withinMs) {
      const wanted = tally.good + more
      const untilMs = performance.now() + withinMs
      while (tally.good < wanted && performance.now() < untilMs) await wait(20)
      return tally.good >= wanted
    },
    async stop() {
      tally.stopped = true
      await Promise.all(callers)
      const stats = client.stats()
      await client.close()
      return { good: tally.good, failed: tally.failed, reasons: tally.reasons, stats }
    }
  }
}
