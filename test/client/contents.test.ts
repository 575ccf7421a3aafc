/** Contents are taken by reference and handed out for good: one caller's buffers are nobody else's trouble. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashObject } from '../../src/git/oid.ts'
import type { BlobwireError, Client, ClientOptions } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1_700_000_000 }

function clientsOf(fixture: TestServer): Client[] {
  const ways: Partial<ClientOptions>[] = [{}, { batch: false }, { interceptors: [async (call, next) => next(call)] }]
  return transports.flatMap((transport) => ways.map((way) => fixture.client({ transport, ...way })))
}

function filled(length: number, value = 7): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value)
}

/** A view whose buffer was transferred, or shrank below its end. */
const gone: Readonly<Record<string, () => Uint8Array>> = {
  detached() {
    const bytes = filled(10)
    bytes.buffer.transfer()
    return bytes
  },
  shrunk() {
    const buffer = new ArrayBuffer(10, { maxByteLength: 10 })
    const bytes = new Uint8Array(buffer, 5, 5)
    buffer.resize(7)
    return bytes
  }
}

test('a buffer that was detached or shrank before the call is refused at once, and nothing is sent', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const client of clientsOf(fixture)) {
    const repo = client.repository('x')
    for (const [name, bytes] of Object.entries(gone)) {
      const calls = [
        repo.storeBlob(bytes()),
        repo.commitFiles({ branch: 'main', changes: { a: bytes() }, message: 'm', author }),
        repo.commitFiles({ branch: 'main', changes: new Map([['a', { content: bytes() }]]), message: 'm', author }),
        repo.batch([{ storeBlob: { content: 'x' } }, { storeBlob: { content: bytes() } }])
      ]
      for (const call of calls) {
        await assert.rejects(call, (error: BlobwireError) => {
          assert.deepEqual([error.code, error.sent], ['invalid_argument', 'never'], name)
          assert.match(error.message, /(content|changes\["a"\](\.content)?): was transferred, or its buffer shrank/)
          return true
        })
      }
    }
    assert.equal(client.stats().requests, 0)
  }
  assert.throws(() => hashObject('blob', gone['detached']?.() as Uint8Array, 'sha1'), { code: 'invalid_argument' })
})

/** Later than the call, by turns of the event loop. */
const moments: Readonly<Record<string, () => Promise<void> | undefined>> = {
  'in the same turn': () => undefined,
  'one microtask later': () => Promise.resolve(),
  'a tick later': () => new Promise((resolve) => process.nextTick(resolve)),
  'a turn later': () => new Promise((resolve) => setImmediate(resolve))
}

test('a buffer that is transferred after the call: an error of that call alone, or its old bytes', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const client of clientsOf(fixture)) {
    const repo = client.repository('later')
    await repo.createRepository()
    for (const [moment, wait] of Object.entries(moments)) {
      for (const length of [10, 40_000, 300_000]) {
        const bytes = filled(length, 1)
        const second = filled(length, 2)
        const oid = hashObject('blob', bytes, 'sha1')
        const others = () => Array.from({ length: 5 }, (_, index) => repo.storeBlob(filled(length, 10 + index)))
        const before = others()
        const storing = Promise.allSettled([repo.storeBlob(bytes)])
        const batch = repo.batch([{ storeBlob: { content: 'x' } }, { storeBlob: { content: second } }])
        const after = others()
        await wait()
        structuredClone(bytes, { transfer: [bytes.buffer] })
        second.buffer.transfer()
        const title = `${client.stats().transport}, ${length} bytes, ${moment}`
        await Promise.all([...before, ...after])
        const [stored] = await storing
        if (stored.status === 'fulfilled') assert.equal(stored.value.oid, oid, title)
        else assert.equal((stored.reason as BlobwireError).code, 'invalid_argument', `${title}: ${stored.reason}`)
        const [first, last] = await batch
        assert.ok(first.ok, title)
        if (last.ok) assert.equal(last.value.oid, hashObject('blob', filled(length, 2), 'sha1'), title)
        else assert.equal(last.error.code, 'invalid_argument', `${title}: ${last.error}`)
      }
    }
    const content = filled(100_000)
    const commit = repo.commitFiles({ branch: 'main', changes: { a: content }, message: 'm', author })
    content.buffer.transfer()
    await assert.rejects(commit, { code: 'invalid_argument', reason: 'content_gone' })
    await assert.rejects(repo.getCommit('main'), { code: 'not_found' })
  }
})

test('small contents that were read own their memory; transferring one empties no other', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const client of clientsOf(fixture)) {
    const repo = client.repository('kept')
    await repo.createRepository()
    const lengths = [0, 0, 4, 4, 3000, 5000, 65_535, 70_000, 70_000, 100_000]
    const stored = await Promise.all(lengths.map((length, index) => repo.storeBlob(filled(length, index))))
    const single = await Promise.all(stored.map(({ oid }) => repo.getBlob(oid)))
    const batch = await repo.batch(stored.map(({ oid }) => ({ getBlob: { oid } })))
    const contents = [
      ...single.map(({ content }) => content),
      ...batch.map(({ value }) => value?.content as Uint8Array)
    ]
    const commit = await repo.storeCommit({ tree: (await repo.storeTree([])).oid, author, message: 'm' })
    const { raw } = (await repo.getCommit(commit.oid)).commit
    for (const bytes of [...contents, raw]) {
      if (bytes.length < 65_536) assert.equal(bytes.buffer.byteLength, bytes.length)
      else assert.ok(bytes.buffer.byteLength < bytes.length * 2)
    }
    while (contents.length > 0) {
      const content = contents.pop() as Uint8Array<ArrayBuffer>
      structuredClone(content, { transfer: [content.buffer] })
      for (const [index, other] of contents.entries()) assert.equal(other.length, lengths[index % lengths.length])
    }
    // The default of an empty content is not shared either.
    const empty = (await repo.getBlob(stored[0]?.oid ?? '')).content
    assert.equal((await repo.storeBlob(empty)).oid, hashObject('blob', filled(0), 'sha1'))
  }
})
