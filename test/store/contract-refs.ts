import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zeroOid } from '../../src/git/oid.ts'
import type { Subject } from './contract.ts'
import { newCommit, newObject } from './support.ts'

const everything = { prefix: '', after: '', limit: 1000 }

/** A repository with three commits in it. */
async function repositoryWithCommits({ store, format, newRepository }: Subject) {
  const name = await newRepository()
  const commits = ['one', 'two', 'three'].map((message) => newCommit(message, format))
  await store.putObjects(name, commits.flat())
  const [one = '', two = '', three = ''] = commits.map((objects) => objects[1]?.oid)
  return { name, one, two, three, zero: zeroOid(format) }
}

/** The contract of every store for refs. */
export function testRefs(subject: () => Subject): void {
  test('a ref is made, moved and deleted; a move to its present place from another is a mismatch', async () => {
    const { store } = subject()
    const { name, one, two, zero } = await repositoryWithCommits(subject())
    const main = 'refs/heads/main'
    const steps: [string, string][] = [
      [zero, zero],
      [zero, one],
      [one, one],
      [one, two],
      [two, zero],
      [zero, zero]
    ]
    for (const [expectedOid, newOid] of steps) {
      const move = { name: main, expectedOid, newOid }
      assert.deepEqual(await store.updateRefs(name, [move]), [])
      const again = expectedOid === newOid ? [] : [{ name: main, expectedOid, foundOid: newOid }]
      assert.deepEqual(await store.updateRefs(name, [move]), again)
      assert.deepEqual(await store.readRefs(name, [main]), [newOid === zero ? undefined : newOid])
      if (expectedOid === newOid) continue
      const mismatch = { name: main, expectedOid, foundOid: newOid }
      assert.deepEqual(await store.updateRefs(name, [{ name: main, expectedOid, newOid }]), [mismatch])
    }
    assert.deepEqual(await store.listRefs(name, everything), [])
    assert.deepEqual(await store.updateRefs(name, []), [])
  })

  test('mismatches are reported exactly, and no ref of the call has moved', async () => {
    const { store } = subject()
    const { name, one, two, three, zero } = await repositoryWithCommits(subject())
    await store.updateRefs(name, [
      { name: 'refs/heads/a', expectedOid: zero, newOid: one },
      { name: 'refs/heads/b', expectedOid: zero, newOid: two }
    ])
    const mismatches = await store.updateRefs(name, [
      { name: 'refs/heads/new', expectedOid: zero, newOid: one },
      { name: 'refs/heads/a', expectedOid: two, newOid: three },
      { name: 'refs/heads/gone', expectedOid: one, newOid: two },
      { name: 'refs/heads/b', expectedOid: zero, newOid: three },
      { name: 'refs/heads/a2', expectedOid: one, newOid: zero }
    ])
    assert.deepEqual(mismatches, [
      { name: 'refs/heads/a', expectedOid: two, foundOid: one },
      { name: 'refs/heads/gone', expectedOid: one, foundOid: zero },
      { name: 'refs/heads/b', expectedOid: zero, foundOid: two },
      { name: 'refs/heads/a2', expectedOid: one, foundOid: zero }
    ])
    assert.deepEqual(await store.listRefs(name, everything), [
      { name: 'refs/heads/a', oid: one },
      { name: 'refs/heads/b', oid: two }
    ])
  })

  test('several refs move together', async () => {
    const { store } = subject()
    const { name, one, two, three, zero } = await repositoryWithCommits(subject())
    await store.updateRefs(name, [{ name: 'refs/heads/a', expectedOid: zero, newOid: one }])
    const moves = [
      { name: 'refs/heads/a', expectedOid: one, newOid: zero },
      { name: 'refs/heads/b', expectedOid: zero, newOid: two },
      { name: 'refs/tags/c', expectedOid: zero, newOid: three }
    ]
    assert.deepEqual(await store.updateRefs(name, moves), [])
    const names = moves.map((move) => move.name)
    assert.deepEqual(await store.readRefs(name, names), [undefined, two, three])
  })

  test('calls made at once for different refs are each answered for themselves', async () => {
    const { store, format } = subject()
    const { name, one, two, zero } = await repositoryWithCommits(subject())
    await store.updateRefs(name, [{ name: 'refs/heads/taken', expectedOid: zero, newOid: one }])
    const absent = newObject('blob', 'absent', format).oid
    const move = (ref: string, newOid: string) =>
      store.updateRefs(name, [{ name: `refs/heads/${ref}`, expectedOid: zero, newOid }])
    const results = await Promise.allSettled([
      move('a', one),
      move('taken', two),
      move('b', two),
      move('c', absent),
      move('b', one),
      move('a/below', one),
      move('d', one)
    ])
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value.length : result.reason.reason)),
      [0, 1, 0, 'missing_object', 1, 'ref_conflict', 0]
    )
    const refs = await store.listRefs(name, everything)
    assert.deepEqual(
      refs.map((ref) => [ref.name.slice(11), ref.oid]),
      [
        ['a', one],
        ['b', two],
        ['d', one],
        ['taken', one]
      ]
    )
  })

  test('names that Git’s files cannot hold together are refused, and nothing has moved', async () => {
    const { store } = subject()
    const { name, one, two, zero } = await repositoryWithCommits(subject())
    await store.updateRefs(name, [{ name: 'refs/heads/a/b', expectedOid: zero, newOid: one }])
    const conflict = { code: 'failed_precondition', reason: 'ref_conflict' }
    const other = { name: 'refs/heads/other', expectedOid: zero, newOid: one }
    for (const bad of ['refs/heads/a', 'refs/heads/a/b/c']) {
      await assert.rejects(store.updateRefs(name, [other, { name: bad, expectedOid: zero, newOid: two }]), conflict)
    }
    const both = ['refs/heads/x/y', 'refs/heads/x'].map((ref) => ({ name: ref, expectedOid: zero, newOid: two }))
    await assert.rejects(store.updateRefs(name, [other, ...both]), conflict)
    assert.deepEqual(await store.listRefs(name, everything), [{ name: 'refs/heads/a/b', oid: one }])
    assert.deepEqual(await store.updateRefs(name, [other]), [])
  })

  test('a ref to an object that is not there, or a branch that is no commit, is refused', async () => {
    const { store, format } = subject()
    const { name, zero } = await repositoryWithCommits(subject())
    const absent = newObject('blob', 'absent', format).oid
    const tree = newObject('tree', '', format).oid
    await assert.rejects(store.updateRefs(name, [{ name: 'refs/heads/m', expectedOid: zero, newOid: absent }]), {
      code: 'failed_precondition',
      reason: 'missing_object',
      details: { missingOids: [absent] }
    })
    await assert.rejects(store.updateRefs(name, [{ name: 'refs/heads/m', expectedOid: zero, newOid: tree }]), {
      code: 'failed_precondition',
      reason: 'wrong_kind'
    })
    assert.deepEqual(await store.updateRefs(name, [{ name: 'refs/tags/t', expectedOid: zero, newOid: tree }]), [])
  })

  test('refs are listed by the bytes of their names, by prefix and in pages', async () => {
    const { store } = subject()
    const { name, one, zero } = await repositoryWithCommits(subject())
    // U+FF5E comes before U+1F600 in UTF-8, and after it in UTF-16.
    const names = ['refs/heads/a', 'refs/heads/a-b', 'refs/heads/b/c', 'refs/heads/\uff5e', 'refs/heads/\u{1f600}']
    const moves = [...names, 'refs/tags/a'].map((ref) => ({ name: ref, expectedOid: zero, newOid: one }))
    assert.deepEqual(await store.updateRefs(name, moves.toReversed()), [])
    const listed: string[] = []
    for (let after = ''; ; ) {
      const page = await store.listRefs(name, { prefix: 'refs/heads/', after, limit: 2 })
      listed.push(...page.map((ref) => ref.name))
      after = page.at(-1)?.name ?? ''
      if (page.length < 2) break
    }
    assert.deepEqual(listed, names)
    const prefixed = await store.listRefs(name, { prefix: 'refs/heads/a', after: '', limit: 9 })
    assert.deepEqual(
      prefixed.map((ref) => ref.name),
      ['refs/heads/a', 'refs/heads/a-b']
    )
    assert.equal((await store.listRefs(name, everything)).length, names.length + 1)
  })

  test('a missing ref is not found under a name that git would guess', async () => {
    const { store } = subject()
    const { name, one, zero } = await repositoryWithCommits(subject())
    await store.updateRefs(name, [{ name: 'refs/heads/refs/heads/x', expectedOid: zero, newOid: one }])
    const names = ['refs/heads/x', 'refs/heads', `refs/heads/v1-0-g${one.slice(0, 12)}`, 'refs/../HEAD', 'HEAD']
    assert.deepEqual(
      await store.readRefs(name, names),
      names.map(() => undefined)
    )
  })

  test('of eight writers that swap one ref, each success follows from the one before and none is lost', async () => {
    const { store, format } = subject()
    const { name, zero } = await repositoryWithCommits(subject())
    const [writers, swapsEach] = [8, 6]
    const won: [from: string, to: string][] = []
    async function write(writer: number): Promise<void> {
      for (let swaps = 0; swaps < swapsEach; ) {
        const [found] = await store.readRefs(name, ['refs/heads/main'])
        const objects = newCommit(`${writer} ${swaps}`, format, found ? [found] : [])
        const newOid = objects[1]?.oid ?? ''
        await store.putObjects(name, objects)
        const move = { name: 'refs/heads/main', expectedOid: found ?? zero, newOid }
        const mismatches = await store.updateRefs(name, [move])
        if (mismatches.length > 0) continue
        won.push([move.expectedOid, newOid])
        swaps++
      }
    }
    await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
    const next = new Map(won)
    assert.equal(next.size, writers * swapsEach, 'two swaps succeeded from the same value')
    let at = zero
    for (let steps = 0; steps < writers * swapsEach; steps++) at = next.get(at) ?? 'the chain is broken'
    assert.deepEqual(await store.readRefs(name, ['refs/heads/main']), [at])
  })
}
