import assert from 'node:assert/strict'
import { test } from 'node:test'
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

  test('the keys of a creation and of a deletion outlive the repository', async () => {
    const { store, format } = subject()
    const name = `short/lived-${format}`
    const create = (key: string) =>
      store.createRepository(name, format, { request: ({ created }) => keyed(key, `${created}`, []) })
    const remove = (key: string) => store.deleteRepository(name, (deleted) => keyed(key, `${deleted}`, []))
    await create('creation')
    await create('again')
    await remove('deletion')
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
