/** The feed of one repository: each watch hears every event once, in order, however it comes and goes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { RefFeed } from '../../server-fixture/service/watch/ref-feed.ts'
import type { WatchMessage } from '../../server-fixture/service/watch/watch-messages.ts'
import { Watcher } from '../../server-fixture/service/watch/watcher.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { newCommit } from '../store/support.ts'
import { randomNumbers } from '../support/random.ts'

const name = 'refs/heads/main'

test('watches that stop reading and go on see every move once and in order, and no stream is kept full', async () => {
  const store = new MemoryStore()
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const [zero, oid] = [zeroOid('sha1'), commit[1]?.oid ?? '']
  const numbers = randomNumbers(7)
  const random = () => numbers(1000) / 1000
  const feed = new RefFeed('demo', store)
  store.onEvents(() => feed.wake())
  const { cursor: after } = await store.readEvents('demo', { limit: 0 })
  const watches = Array.from({ length: 500 }, () => {
    const seen: string[] = []
    const sink = {
      isRead: true,
      sentUnread: 0,
      send({ events }: WatchMessage) {
        if (!this.isRead) this.sentUnread++
        seen.push(...events.map((event) => event.requestId))
        if (random() < 0.3) this.isRead = false
      },
      end: (error: BlobwireError) => assert.fail(error)
    }
    const watching = { repository: 'demo', prefix: '', after, snapshot: false, endsAtMs: Infinity, sink }
    const report = () => new BlobwireError({ code: 'internal', message: 'unexpected' })
    const watcher = new Watcher(watching, { store, feed, onEnd: () => undefined, report })
    watcher.start()
    return { seen, sink, watcher }
  })
  const expected: string[] = []
  for (let index = 0; index < 200; index++) {
    const [from, to] = index % 2 === 0 ? [zero, oid] : [oid, zero]
    const events = [{ requestId: `${index}`, moves: [{ name, oldOid: from, newOid: to }] }]
    await store.updateRefs('demo', [{ name, expectedOid: from, newOid: to }], { events })
    expected.push(`${index}`)
    if (random() < 0.7) await setImmediate()
    for (const { sink, watcher } of watches) {
      if (sink.isRead || random() < 0.5) continue
      sink.isRead = true
      watcher.resume()
    }
  }
  for (let turn = 0; watches.some(({ seen }) => seen.length < expected.length); turn++) {
    assert.ok(turn < 2000, 'a watch does not go on')
    await setImmediate()
    for (const { sink, watcher } of watches) {
      sink.isRead = true
      watcher.resume()
    }
  }
  for (const { seen, sink } of watches) {
    assert.deepEqual(seen, expected)
    assert.equal(sink.sentUnread, 0)
  }
})
