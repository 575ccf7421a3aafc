import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyRemembered } from '../../server-fixture/store/store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import type { Subject } from './contract.ts'
import { keyed, newCommit } from './support.ts'

/** The contract of every store for the keys of writes. */
export function testRequests(subject: () => Subject): void {
  test('a write is remembered under its key with its effect, and not where it has none', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const commit = newCommit('one', format)
    await store.putObjects(name, commit)
    const move = { name: 'refs/heads/main', expectedOid: zeroOid(format), newOid: commit[1]?.oid ?? '' }
    assert.ok(store.requestKeySeconds > 0)
    assert.equal(await store.recall(name, 'key'), undefined)
    assert.deepEqual(await store.updateRefs(name, [move], { requests: [keyed('key', 'moved', [move])] }), [])
    assert.deepEqual(await store.recall(name, 'key'), { digest: 'digest of key', outcome: 'moved' })
    assert.equal((await store.updateRefs(name, [move], { requests: [keyed('late', 'moved', [move])] })).length, 1)
    assert.equal(await store.recall(name, 'late'), undefined)
    const bad = { ...move, name: 'refs/heads/main/below' }
    await assert.rejects(store.updateRefs(name, [bad], { requests: [keyed('bad', 'moved', [bad])] }), {
      reason: 'ref_conflict'
    })
    assert.equal(await store.recall(name, 'bad'), undefined)
  })

  test('a write under a key that is remembered changes nothing', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const [tree, commit] = newCommit('one', format)
    const move = { name: 'refs/heads/main', expectedOid: zeroOid(format), newOid: commit?.oid ?? '' }
    const records = { objects: [tree, commit].filter((object) => object !== undefined) }
    assert.deepEqual(await store.updateRefs(name, [move], { ...records, requests: [keyed('key', '1', [move])] }), [])
    const undo = { ...move, expectedOid: move.newOid, newOid: move.expectedOid }
    assert.deepEqual(await store.updateRefs(name, [undo]), [])
    // Each of them could be made, were it not for its key. Those of creations and deletions may have another place.
    await store.createRepository(name, format, { request: () => keyed('creation', '1', []) })
    const again = keyed('key', '2', [move])
    const writes = {
      move: () => store.updateRefs(name, [move], { requests: [keyed('new', '2', []), again] }),
      mismatch: () => store.updateRefs(name, [undo], { requests: [again] }),
      update: () => store.updateRepository(name, 'refs/heads/other', () => again),
      creation: () => store.createRepository(name, format, { request: () => keyed('creation', '2', []) }),
      deletion: () => store.deleteRepository(name, () => keyed('creation', '2', []))
    }
    for (const [write, run] of Object.entries(writes)) await assert.rejects(run(), KeyRemembered, write)
    assert.deepEqual(await store.readRefs(name, [move.name]), [undefined])
    assert.equal((await store.readHead(name)).ref, move.name)
    assert.equal((await store.recall(name, 'key'))?.outcome, '1')
    assert.equal(await store.recall(name, 'new'), undefined)
  })

  test('objects come with the move that needs them, and stay where it is refused or nobody waits for it', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const [one, two, three] = ['one', 'two', 'three'].map((message) => newCommit(message, format))
    const head = one?.[1]?.oid ?? ''
    const move = { name: 'refs/heads/main', expectedOid: zeroOid(format), newOid: head }
    const late = { ...move, newOid: two?.[1]?.oid ?? '' }
    const abandoned = { ...move, expectedOid: head, newOid: three?.[1]?.oid ?? '' }
    assert.deepEqual(await store.updateRefs(name, [move], { objects: one }), [])
    const mismatch = { name: move.name, expectedOid: move.expectedOid, foundOid: head }
    assert.deepEqual(await store.updateRefs(name, [late], { objects: two }), [mismatch])
    const gone = new Error('gone')
    const throwIfAbandoned = () => {
      throw gone
    }
    const requests = [keyed('abandoned', '', [abandoned])]
    await assert.rejects(store.updateRefs(name, [abandoned], { objects: three, requests, throwIfAbandoned }), gone)
    assert.deepEqual(await store.readRefs(name, [move.name]), [head])
    assert.equal(await store.recall(name, 'abandoned'), undefined)
    const kinds = (await store.hasObjects(name, [head, late.newOid])).map((info) => info?.kind)
    assert.deepEqual(kinds, ['commit', 'commit'])
    assert.deepEqual(
      await store.updateRefs(name, [abandoned], { objects: three, throwIfAbandoned: () => undefined }),
      []
    )
  })

  test('several writes are remembered with one move, and refusals without any', async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const commit = newCommit('one', format)
    await store.putObjects(name, commit)
    const move = { name: 'refs/heads/main', expectedOid: zeroOid(format), newOid: commit[1]?.oid ?? '' }
    await store.updateRefs(name, [move], { requests: [keyed('first', '1', [move]), keyed('second', '2', [])] })
    await store.remember(name, [keyed('third', '3', []), keyed('fourth', '4', [])])
    const outcomes = await Promise.all(['first', 'second', 'third', 'fourth'].map((key) => store.recall(name, key)))
    assert.deepEqual(
      outcomes.map((remembered) => remembered?.outcome),
      ['1', '2', '3', '4']
    )
  })

  test('keys belong to the name of one repository', async () => {
    const { store, newRepository } = subject()
    const [one, two] = [await newRepository(), await newRepository()]
    await store.remember(one, [keyed('key', 'of one', [])])
    assert.equal(await store.recall(two, 'key'), undefined)
    await store.remember(two, [keyed('key', 'of two', [])])
    assert.equal((await store.recall(one, 'key'))?.outcome, 'of one')
  })

  test('keys outlive the repository', async () => {
    const { store, format } = subject()
    const name = `short/lived-${format}`
    const create = (key: string) =>
      store.createRepository(name, format, { request: ({ created }) => keyed(key, `${created}`, []) })
    const remove = (key: string) => store.deleteRepository(name, (deleted) => keyed(key, `${deleted}`, []))
    await create('creation')
    await create('again')
    await store.remember(name, [keyed('refusal', 'no', [])])
    await remove('deletion')
    assert.equal((await store.recall(name, 'refusal'))?.outcome, 'no')
    await remove('late')
    await create('anew')
    const outcomes = await Promise.all(
      ['creation', 'again', 'deletion', 'late', 'anew'].map((key) => store.recall(name, key))
    )
    assert.deepEqual(
      outcomes.map((remembered) => remembered?.outcome),
      ['true', 'false', 'true', 'false', 'true']
    )
    await store.deleteRepository(name)
  })
}
