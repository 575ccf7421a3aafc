/** Uploads whose server takes long when it has all bytes: what an attempt finds that comes meanwhile. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { ContentHasher } from '../../server-fixture/store/uploads/content-hasher.ts'
import { blobOid } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const limits = { maxInlineBytes: 4096, chunkBytes: 2048 }
const content = Buffer.from(randomBytes(60_000))
const size = content.length

/** Has the second pass over a content wait for `open`; counts such passes, and attempts. */
function slowFinish(context: TestContext) {
  const gate = Promise.withResolvers<void>()
  const { oid } = ContentHasher.prototype
  const seen = { passes: 0, attempts: 0, hashedAgain: 0 }
  context.mock.method(
    ContentHasher.prototype,
    'oid',
    async function (this: ContentHasher, ...args: Parameters<typeof oid>) {
      seen.passes++
      await gate.promise
      return oid.apply(this, args)
    }
  )
  const { updateAll } = ContentHasher.prototype
  context.mock.method(
    ContentHasher.prototype,
    'updateAll',
    function (this: ContentHasher, ...args: Parameters<typeof updateAll>) {
      seen.hashedAgain++
      return updateAll.apply(this, args)
    }
  )
  const { openUpload } = MemoryStore.prototype
  context.mock.method(
    MemoryStore.prototype,
    'openUpload',
    function (this: MemoryStore, ...args: Parameters<typeof openUpload>) {
      seen.attempts++
      return openUpload.apply(this, args)
    }
  )
  return { seen, open: gate.resolve }
}

for (const transport of transports) {
  test(`${transport}: an attempt after a stall waits for the finish under way, and has its result`, async (context) => {
    const { seen, open } = slowFinish(context)
    const fixture = atEnd(context, await testServer({ limits }))
    const client = fixture.client({ transport, retry: { maxAttempts: 10 } })
    const repo = client.repository('demo')
    await repo.createRepository()
    const source = async function* () {
      yield content
    }
    const uploaded = repo.upload(source(), { stallTimeoutMs: 500 })
    await until(() => seen.passes === 1 && seen.attempts > 1, 'another attempt has come')
    open()
    assert.deepEqual(await uploaded, { oid: blobOid(content), size })
    assert.deepEqual([seen.passes, seen.hashedAgain], [1, 0])
    assert.equal(client.stats().transfers.bytesSent, size)
  })
}

test('a request that waits for the finish of another one is no idle one', async (context) => {
  const bodyTimeoutMs = 40
  const { seen, open } = slowFinish(context)
  const fixture = atEnd(context, await testServer({ limits, bodyTimeoutMs }))
  await fixture.client().repository('demo').createRepository()
  const url = `${fixture.server.http}/v1/repositories/demo/uploads/one`
  const first = fetch(url, { method: 'POST', body: content })
  await until(() => seen.passes === 1, 'the server has all bytes')
  const headers = {
    'content-type': 'application/partial-upload',
    'upload-offset': String(size),
    'upload-complete': '?1'
  }
  const second = fetch(url, { method: 'PATCH', headers })
  await until(() => seen.attempts === 2, 'another request has come')
  await delay(4 * bodyTimeoutMs)
  open()
  const answers = await Promise.all([first, second])
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201]
  )
  const oids = await Promise.all(answers.map(async (answer) => ((await answer.json()) as { oid: string }).oid))
  assert.deepEqual(oids, [blobOid(content), blobOid(content)])
  assert.equal(seen.passes, 1)
})
