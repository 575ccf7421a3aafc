/** Uploads that end before they are complete: gone on with by another client, after a restart too, or given up. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { CallInvoker } from '../../src/client/call-invoker.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { type BlobwireError, blobOid, type Repository } from '../../src/index.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const limits = { maxInlineBytes: 4096, chunkBytes: 2048 }
const content = Buffer.from(randomBytes(60_000))
const size = content.length

/** The content up to a place, where it waits for good. */
async function* stuckAt(place: number) {
  yield content.subarray(0, place)
  await new Promise(() => undefined)
}

const whole = () => () =>
  (async function* () {
    yield content
  })()

/** Asks a server for an upload; undefined = it has none. */
async function queryOf(fixture: TestServer, uploadId: string): Promise<Messages['QueryUploadResponse'] | undefined> {
  const invoker = new CallInvoker(resolveOptions({ endpoint: fixture.server.http, transport: 'json' }))
  try {
    return await invoker.invoke(methods.queryUpload, { repository: 'demo', uploadId })
  } catch (error) {
    assert.equal((error as BlobwireError).reason, 'upload')
    return undefined
  } finally {
    await invoker.close()
  }
}

/** Begins an upload, and aborts it once the server holds so much; returns its token. */
async function interrupted(repo: Repository, fixture: TestServer, place = 30_000): Promise<string> {
  const controller = new AbortController()
  let token = ''
  const options = { size, signal: controller.signal, onResumeToken: (given: string) => (token = given) }
  const upload = repo.upload(() => stuckAt(place), options).catch((error: BlobwireError) => error)
  await until(() => token !== '', 'there is a token')
  let held = 0
  while (held < place) held = (await queryOf(fixture, token.split('.')[1] ?? ''))?.offset ?? 0
  controller.abort()
  assert.equal(((await upload) as BlobwireError).code, 'cancelled')
  return token
}

for (const transport of transports) {
  test(`${transport}: another client goes on with an upload that was aborted`, async (context) => {
    const fixture = atEnd(context, await testServer({ limits }))
    const repo = fixture.client({ transport }).repository('demo')
    await repo.createRepository()
    const token = await interrupted(repo, fixture)
    const other = fixture.client({ transport })
    const progress: number[] = []
    const again: string[] = []
    const result = await other.upload('demo', whole(), {
      size,
      resume: token,
      onResumeToken: (given) => again.push(given),
      onProgress: ({ transferredBytes }) => progress.push(transferredBytes)
    })
    assert.deepEqual(result, { oid: blobOid(content), size })
    assert.equal(other.stats().transfers.bytesSent, 30_000)
    assert.deepEqual(again, [token])
    assert.equal(progress.at(-1), size)
    assert.deepEqual((await repo.findMissing([result.oid])).missing, [])
  })
}

test('an upload goes on after a restart of the server, of other sources too, and another content is refused', async (context) => {
  const first = await testServer({ store: 'git', limits })
  context.after(() => first[Symbol.asyncDispose]())
  const repo = first.client().repository('demo')
  await repo.createRepository()
  const token = await interrupted(repo, first)
  const wrong = await interrupted(repo, first)
  await first.server.close()
  const second = atEnd(context, await testServer({ store: 'git', limits, data: first.data }))
  const client = second.client()
  assert.equal((await client.upload('demo', content, { resume: token })).oid, blobOid(content))
  assert.equal(client.stats().transfers.bytesSent, 30_000)

  const other = Buffer.from(content)
  other[7] = (other[7] ?? 0) + 1
  // Both ends hash what the server held.
  const refused = client.upload('demo', other, { resume: wrong })
  await assert.rejects(refused, { code: 'data_loss', reason: 'integrity' })
  assert.deepEqual((await client.findMissing('demo', [blobOid(other)])).missing, [blobOid(other)])
  assert.equal(await queryOf(second, wrong.split('.')[1] ?? ''), undefined)
})

test('a file that has changed, and an upload that is gone, begin anew', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const client = fixture.client()
  await client.createRepository('demo')
  const file = join(fixture.data, 'file')
  await writeFile(file, content)
  const tokens: string[] = []
  const onResumeToken = (token: string) => tokens.push(token)
  await client.upload('demo', { file }, { onResumeToken })
  const before = tokens[0] ?? ''
  assert.match(before, /^u1\.[\w-]+\.60000\.[0-9a-z-]+\.demo$/)
  content[0] = (content[0] ?? 0) + 1
  await writeFile(file, content)
  await utimes(file, 1, 1)
  const sent = client.stats().transfers.bytesSent
  assert.equal((await client.upload('demo', { file }, { resume: before, onResumeToken })).oid, blobOid(content))
  assert.equal(client.stats().transfers.bytesSent - sent, size)
  assert.notEqual(tokens[1], before)

  const gone = await interrupted(client.repository('demo'), fixture)
  const invoker = new CallInvoker(resolveOptions({ endpoint: fixture.server.http }))
  await invoker.invoke(methods.cancelUpload, { repository: 'demo', uploadId: gone.split('.')[1] ?? '' })
  await invoker.close()
  content[1] = (content[1] ?? 0) + 1
  assert.equal((await client.upload('demo', whole(), { size, resume: gone })).oid, blobOid(content))
})

test('an upload that nobody may go on with is cancelled when it fails, and one with a token stays', async (context) => {
  const removed: string[] = []
  class Store extends MemoryStore {
    override cancelUpload(repository: string, id: string): Promise<boolean> {
      removed.push(id)
      return super.cancelUpload(repository, id)
    }
  }
  const fixture = atEnd(context, await testServer({ limits, store: new Store() }))
  const client = fixture.client()
  await client.createRepository('demo')
  async function* failing() {
    yield content
    throw new Error('no more')
  }
  await assert.rejects(client.upload('demo', failing(), { onResumeToken: () => undefined }), {
    reason: 'source_failed'
  })
  await assert.rejects(client.upload('demo', failing()), { reason: 'source_failed' })
  await until(() => removed.length > 0, 'the upload is cancelled')
  const before = client.stats().transfers.bytesSent
  const controller = new AbortController()
  const aborted = client.upload('demo', stuckAt(30_000), { signal: controller.signal })
  await until(() => client.stats().transfers.bytesSent > before, 'it sends')
  const cause = new Error('enough')
  controller.abort(cause)
  await assert.rejects(aborted, { code: 'cancelled', cause })
  await until(() => removed.length > 1, 'the upload is cancelled')
  assert.equal(removed.length, 2)
})

test('close() and a deadline end uploads at once', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const client = fixture.client()
  await client.createRepository('demo')
  const late = client.upload('demo', stuckAt(30_000), { timeoutMs: 50 })
  await assert.rejects(late, {
    code: 'deadline_exceeded',
    message: /^upload at .*: the transfer did not end within 50 ms/
  })
  const failure = (upload: Promise<unknown>) => upload.catch((error: BlobwireError) => error.reason)
  const open = failure(client.upload('demo', stuckAt(30_000)))
  const small = failure(client.upload('demo', stuckAt(3)))
  await until(() => client.stats().transfers.started > 1, 'it has begun')
  await client.close()
  assert.deepEqual(await Promise.all([open, small]), ['client_closed', 'client_closed'])
  assert.equal(await failure(client.upload('demo', content)), 'client_closed')
})
