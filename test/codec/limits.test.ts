/** The fullest messages of sound clients and servers are within the limits of every codec. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { envelopeBytes, estimateBytes } from '../../src/batch/split.ts'
import { jsonCodec } from '../../src/codec/json.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { decodeProtobuf, encodeProtobuf } from '../../src/codec/protobuf.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import type { Init, MessageName } from '../../src/schema/descriptor.ts'
import type { Messages } from '../../src/schema/messages.ts'

const { maxBatchBytes, maxBatchOperations } = defaultLimits
const oid = 'a'.repeat(40)
const short = (index: number) => index.toString(36)

/** As many items as the bytes of a batch have room for. */
function fill<Item>(bytesOf: (item: Item) => number, itemOf: (index: number) => Item): Item[] {
  const items: Item[] = []
  for (let bytes = 0, index = 0; ; index++) {
    const item = itemOf(index)
    bytes += bytesOf(item)
    if (bytes + envelopeBytes > maxBatchBytes) return items
    items.push(item)
  }
}

/** The fullest list that the client puts into a request. */
const fullRequest = <Item>(itemOf: (index: number) => Item) => fill((item) => estimateBytes(item, false), itemOf)

/** One result for each operation; the first is full. */
const answer = (first: Init<Messages['OperationResult']>): Init<Messages['SessionResponse']> => ({
  results: Array.from({ length: maxBatchOperations }, (_, id) => ({
    id,
    result: id === 0 ? first : { storeBlob: { oid, size: 1 } }
  }))
})

const many = <Item>(count: number, itemOf: (index: number) => Item) =>
  Array.from({ length: count }, (_, index) => itemOf(index))

const signature = { name: 'A', email: 'a', timeSeconds: 1, zone: '+0100' }
const entry = (index: number) => ({ path: short(index), mode: '100644' as const, oid })
const change = (index: number) => ({
  path: short(index),
  status: 'modified' as const,
  oldMode: '100644' as const,
  oldOid: oid,
  newMode: '100755' as const,
  newOid: oid,
  rawPath: Buffer.of(0xff)
})

/** By the bytes that the server counts for an item when it fills the answer of a batch (service/batch.ts). */
const fullest: readonly { [Name in MessageName]: [Name, string, Init<Messages[Name]>] }[MessageName][] = [
  ['StoreTreeRequest', 'entries', { entries: fullRequest(entry) }],
  ['CommitFilesRequest', 'removals', { changes: fullRequest((index) => ({ path: short(index), delete: true })) }],
  ['CommitFilesRequest', 'guards', { changes: fullRequest((index) => ({ path: short(index), guard: oid })) }],
  ['UpdateRefsRequest', 'refs', { updates: fullRequest((index) => ({ name: short(index), newOid: oid })) }],
  ['FindMissingRequest', 'oids', { oids: fullRequest(() => oid) }],
  [
    'SessionRequest',
    'batches of one operation, with headers of their own',
    {
      batches: {
        headerLists: many(maxBatchOperations, () => ({ headers: many(16, () => ({ name: 'a', value: 'b' })) })),
        batches: many(maxBatchOperations, (firstId) => ({
          repository: 'demo',
          firstId,
          operations: [
            { apply: { requestKey: 'k', timeoutMs: 1, commitFiles: { branch: 'main', author: signature } } }
          ],
          headerLists: [firstId + 1]
        }))
      }
    }
  ],
  ['SessionRequest', 'cancelled ids', { cancel: { ids: many(20_000, (id) => id) } }],
  ['GetTreeResponse', 'a page', { entries: many(10_000, (index) => ({ ...entry(index), rawPath: Buffer.of(0xff) })) }],
  ['CompareResponse', 'a page', { changes: many(10_000, change) }],
  ['SessionResponse', 'tree entries', answer({ getTree: { entries: fill(({ path }) => path.length + 100, entry) } })],
  ['SessionResponse', 'changes', answer({ compare: { changes: fill(({ path }) => path.length + 200, change) } })],
  [
    'SessionResponse',
    'refs',
    answer({
      listRefs: {
        refs: fill(
          (ref: { readonly name: string }) => ref.name.length + 80,
          (index) => ({ name: short(index), oid })
        )
      }
    })
  ],
  [
    'SessionResponse',
    'commits',
    answer({
      listCommits: {
        commits: fill(
          () => 466,
          () => ({ oid, tree: oid, parents: [oid], author: signature, committer: signature, message: 'm' })
        )
      }
    })
  ],
  [
    'SessionResponse',
    'missing objects',
    answer({ error: { code: 'failed_precondition', detail: { missingOids: fullRequest(() => oid) } } })
  ],
  [
    'SessionResponse',
    'guards that failed',
    answer({
      error: {
        code: 'aborted',
        detail: {
          pathMismatches: fullRequest((index) => ({ path: short(index), guard: oid })).map(({ path, guard }) => ({
            path,
            expectedOid: guard,
            foundOid: oid
          }))
        }
      }
    })
  ]
]

for (const [type, name, message] of fullest) {
  test(`${type}: ${name}`, () => {
    for (const codec of [jsonCodec, msgpackCodec]) codec.decode(type, codec.encode(type, message as never))
    const decoded = decodeProtobuf(type, encodeProtobuf(type, message as never))
    assert.deepEqual(msgpackCodec.decode(type, msgpackCodec.encode(type, message as never)), decoded)
  })
}
