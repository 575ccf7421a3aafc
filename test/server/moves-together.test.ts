/** Moves of one batch that wait together: different refs that exist and stay, and nothing that another move stores. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { newCommit } from '../store/support.ts'
import { countQuestions } from './counted-questions.ts'

const repository = 'demo'
const zero = '0'.repeat(40)
const commits = ['one', 'two', 'three'].map((message) => newCommit(message, 'sha1'))
const [a = '', b = '', c = ''] = commits.map((objects) => objects[1]?.oid)

async function setUp() {
  const { store, during } = countQuestions(new MemoryStore())
  const service = new Service(store, { serverVersion: '0', onInternalError: () => undefined })
  const context = { principal: { may: () => true }, signal: new AbortController().signal, requestId: 'test' }
  await store.createRepository(repository, 'sha1')
  await store.putObjects(repository, commits.flat())
  const names = ['x', 'y', 'z'].map((name) => `refs/heads/${name}`)
  await store.updateRefs(
    repository,
    names.map((name) => ({ name, expectedOid: zero, newOid: a }))
  )
  const batch = async (operations: readonly object[]) => {
    let results: readonly Messages['OperationResult'][] = []
    const rounds = await during(async () => {
      const answer = await service.call('BatchOperations', { repository, operations, atomic: false }, context)
      results = (answer as Messages['BatchOperationsResponse']).results
    })
    return { rounds, reasons: results.map(({ error }) => error?.detail?.reason) }
  }
  return { batch, store }
}

const move = (ref: string, expectedOid: string, newOid: string) => ({
  updateRefs: { updates: [{ name: `refs/heads/${ref}`, expectedOid, newOid }] }
})

test('moves of different refs are one round of questions; others wait for those before them', async () => {
  const { batch } = await setUp()
  const apart = await batch([move('x', a, b), move('y', a, b), move('z', b, c)])
  assert.deepEqual(apart.reasons, [undefined, undefined, 'ref_mismatch'])
  assert.equal(apart.rounds[0], 'updateRefs and updateRefs and updateRefs')
  // The second move of a ref sees the first; a ref that is made or deleted has the others wait.
  const chained = await batch([
    move('x', b, c),
    move('x', c, a),
    move('new', zero, a),
    move('y', b, zero),
    move('z', a, b)
  ])
  assert.deepEqual(chained.reasons, [undefined, undefined, undefined, undefined, undefined])
  assert.equal(chained.rounds.filter((names) => names.startsWith('updateRefs')).length, 5)
})

test('a move waits for the objects that the one before it stores', async () => {
  const { batch, store } = await setUp()
  const content = new TextEncoder().encode('tagged')
  const oid = hashObject('blob', content, 'sha1')
  const tags = ['one', 'two'].map((name) => ({ name: `refs/tags/${name}`, expectedOid: zero, newOid: a }))
  await store.updateRefs(repository, tags)
  const toBlob = tags.map(({ name }) => ({ updateRefs: { updates: [{ name, expectedOid: a, newOid: oid }] } }))
  const { rounds, reasons } = await batch([{ storeBlob: { content } }, ...toBlob])
  assert.deepEqual(
    [rounds, reasons],
    [
      ['updateRefs', 'updateRefs'],
      [undefined, undefined, undefined]
    ]
  )
})
