/**
 * Programs that every runtime carries out with the package, in the same way: a browser, its workers, Deno and Bun. They get
 * the package as `blobwire`, and need `node:assert` of the runtime, or assertions.ts in its place.
 */
import assert from 'node:assert/strict'
import type { Client, ClientOptions } from 'blobwire'
import * as bytes from '../src/platform/web/bytes.ts'
import * as hash from '../src/platform/web/hash.ts'
import * as histogram from '../src/platform/web/histogram.ts'
import * as random from '../src/platform/web/random.ts'
import * as schedule from '../src/platform/web/schedule.ts'
import * as zlib from '../src/platform/web/zlib.ts'
import { everyRpc } from '../test/cases/every-rpc.ts'
import { functionTests } from '../test/platform/function-tests.ts'

export type Blobwire = typeof import('blobwire')

/** The servers of a run. */
export interface Addresses {
  readonly server: string
  /** Loses the answers to the first two requests that store a blob, and does not answer those that read one. */
  readonly faulty: string
  /** Nobody listens there. */
  readonly closed: string
}

export interface Run extends Addresses {
  readonly blobwire: Blobwire
  /** Of the runtime, in the names of its repositories. */
  readonly name: string
}

type Case = (run: Run) => unknown

const author = { name: 'Ada Lovelace', email: 'ada@example.org' }
const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7919 + (index >> 9)) & 255)

async function withClient<Result>(
  { blobwire, server }: Run,
  options: Partial<ClientOptions>,
  work: (client: Client) => Promise<Result>
): Promise<Result> {
  const client = blobwire.createClient({ endpoint: server, ...options })
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

/** The outcome is to be that on Node. */
const everyCall =
  (transport: 'json' | 'msgpack', format: 'sha1' | 'sha256'): Case =>
  (run) =>
    withClient(run, { transport }, (client) => everyRpc(client, `${run.name}/${transport}-${format}`, format))

const functions = Object.entries(functionTests).map(([name, check]): [string, Case] => [
  `functions of the platform: ${name}`,
  () => check({ bytes, ...hash, ...histogram, ...random, ...schedule, ...zlib })
])

const cases: Readonly<Record<string, Case>> = {
  'every call, json': everyCall('json', 'sha1'),
  'every call, msgpack': everyCall('msgpack', 'sha256'),

  'concurrent calls travel in few requests': (run) =>
    withClient(run, {}, async (client) => {
      const repository = `${run.name}/many`
      await client.createRepository(repository)
      const before = client.stats().requests
      await Promise.all(Array.from({ length: 200 }, (_, index) => client.storeBlob(repository, `content ${index}`)))
      const requests = client.stats().requests - before
      assert.ok(requests <= 20, `${requests} requests`)
    }),

  'a blob goes up from bytes, pieces, a stream and a Blob, and comes down': (run) =>
    withClient(run, {}, async (client) => {
      const repo = client.repository(`${run.name}/blobs`)
      await repo.createRepository()
      const oid = run.blobwire.blobOid(content)
      async function* pieces() {
        for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000)
      }
      const stream = new Blob([content]).stream()
      for (const source of [content, pieces(), stream, new Blob([content])]) {
        assert.equal((await repo.upload(source)).oid, oid)
      }
      assert.deepEqual(await repo.download(oid).bytes(), content)
      assert.deepEqual(await repo.download(oid, { start: 7, end: 1_500_000 }).bytes(), content.slice(7, 1_500_000))
      const reader = repo.download(oid).stream().getReader()
      let received = 0
      for (let read = await reader.read(); !read.done; read = await reader.read()) received += read.value.length
      assert.equal(received, content.length)
    }),

  'a commit is seen by a watch, which ends when it is left': (run) =>
    withClient(run, {}, async (client) => {
      const repo = client.repository(`${run.name}/watched`)
      await repo.createRepository()
      const updates = repo.watch()
      assert.equal((await updates.next()).value?.kind, 'start')
      await repo.commitFiles({ branch: 'main', changes: { 'a.txt': 'a' }, message: 'first', author })
      const { value } = await updates.next()
      assert.equal(value?.moves[0]?.name, 'refs/heads/main')
      await updates.return()
    }),

  'a call whose answers are lost is repeated, and has one effect': (run) =>
    withClient(run, { endpoint: run.faulty }, async (client) => {
      await client.createRepository(`${run.name}/faulty`)
      const { oid } = await client.storeBlob(`${run.name}/faulty`, 'content')
      assert.equal(oid, run.blobwire.blobOid(new TextEncoder().encode('content')))
      // Deno repeats a request itself where the connection was an old one.
      assert.ok(client.stats().retries >= 1)
    }),

  'a call ends with its signal and with its time, where the server is silent': (run) =>
    withClient(run, { endpoint: run.faulty }, async (client) => {
      const repo = client.repository(`${run.name}/silent`)
      await repo.createRepository()
      const controller = new AbortController()
      const aborted = repo.getBlob('0'.repeat(40), { signal: controller.signal })
      setTimeout(() => controller.abort(), 50)
      await assert.rejects(aborted, { code: 'cancelled' })
      await assert.rejects(repo.getBlob('0'.repeat(40), { timeoutMs: 50 }), { code: 'deadline_exceeded' })
      await repo.getRepository()
    }),

  'a server that is not there': (run) =>
    withClient(run, { endpoint: run.closed, retry: false }, async (client) => {
      await assert.rejects(client.getRepository('none'), { code: 'unavailable', retryable: true })
    }),

  'what only Node has says what to do instead': (run) =>
    withClient(run, {}, async (client) => {
      const repo = client.repository(`${run.name}/refused`)
      await repo.createRepository()
      const { oid } = await repo.storeBlob('content')
      await assert.rejects(repo.upload({ file: 'a.txt' }), { reason: 'source_failed', message: /give a File or Blob/ })
      await assert.rejects(repo.download(oid).toFile('a.txt'), { reason: 'not_in_runtime', message: /use stream\(\)/ })
      await repo.commitFiles({ branch: 'main', changes: { 'a.txt': 'a' }, message: 'first', author })
      await assert.rejects(repo.checkout('directory'), { reason: 'not_in_runtime' })
      assert.throws(() => run.blobwire.createClient({ endpoint: run.server, transport: 'grpc' }), /no gRPC/)
    }),

  ...Object.fromEntries(functions)
}

/** How a case ended. */
export interface Outcome {
  readonly name: string
  readonly value?: unknown
  /** Undefined = it held. */
  readonly failure?: string
  readonly tookMs?: number
}

/** Carries out all cases, one after the other. */
export async function runCases(run: Run): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [name, work] of Object.entries(cases)) {
    const beganAtMs = performance.now()
    try {
      const value = await work(run)
      outcomes.push({ name, value, tookMs: performance.now() - beganAtMs })
    } catch (error) {
      outcomes.push({ name, failure: error instanceof Error ? `${error.stack}\n${describe(error)}` : String(error) })
    }
  }
  return outcomes
}

function describe(error: Error): string {
  const { cause } = error
  return cause instanceof Error ? `caused by ${cause.stack}` : ''
}
