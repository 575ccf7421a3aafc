/** The order of requests: those of one level side by side, and each after those that it needs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { SourceObject } from '../../cli/mirror/object-reader.ts'
import { OidList } from '../../cli/mirror/oid-list.ts'
import { type Sending, sendObjects } from '../../cli/mirror/send-objects.ts'

const oidOf = (index: number) => index.toString(16).padStart(40, '0')

/** Trees of these levels; each has a request of its own, for its size. */
function treesOf(levels: readonly number[]) {
  const oids = new OidList('sha1')
  for (const index of levels.keys()) oids.push(oidOf(index))
  const none = new OidList('sha1')
  const tree = { oids, levels: Uint32Array.from(levels) }
  return { blob: none, streamed: new Map<string, number>(), tree, commit: { oids: none }, tag: { oids: none } }
}

const stream = () => assert.fail('there are no streams')
const reader: Sending['reader'] = {
  async *read(oids): AsyncGenerator<SourceObject, void> {
    for (const oid of oids) yield { oid, kind: 'tree', content: Buffer.alloc(1024 * 1024) }
  }
}

/** Notes when requests begin and end; each takes some turns of the event loop. */
function noting(events: string[]): Sending['repo'] {
  let count = 0
  return {
    storeBlob: () => assert.fail('there are no blobs'),
    upload: () => assert.fail('there are no blobs'),
    async batch() {
      const index = count++
      events.push(`+${index}`)
      for (let turn = 0; turn < 20; turn++) await setImmediate()
      events.push(`-${index}`)
      return [{ ok: true, value: { oid: oidOf(index) } }] as never
    }
  }
}

test('a request waits for those of lower levels, and for no other', async () => {
  const events: string[] = []
  await sendObjects(treesOf([0, 0, 1, 1, 2]), { reader, stream, repo: noting(events), onSent: () => {} })
  assert.deepEqual(events, ['+0', '+1', '-0', '-1', '+2', '+3', '-2', '-3', '+4', '-4'])
})

test('four requests are under way at most', async () => {
  const events: string[] = []
  await sendObjects(treesOf([0, 0, 0, 0, 0, 0]), { reader, stream, repo: noting(events), onSent: () => {} })
  assert.deepEqual(events.slice(0, 5), ['+0', '+1', '+2', '+3', '-0'])
})
