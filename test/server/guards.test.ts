/** Guards by path: a commit is made only where the paths that its caller read are still as they were. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { BlobwireError } from '../../src/core/error.ts'
import { parseTree } from '../../src/git/tree.ts'
import { blobOid, type Change, put, setUp, storeKinds, zero } from './commit-chain.ts'

function onBothStores(name: string, run: (test: TestContext, kind: (typeof storeKinds)[number]) => Promise<void>) {
  for (const kind of storeKinds) test(`${name} (${kind} store)`, (context) => run(context, kind))
}

const absent = 'ab'.repeat(20)
const guarded = (path: string, expectedOid: string, change: object = { content: Buffer.from(path) }): Change => ({
  path,
  guarded: { expectedOid, ...change }
})
const guard = (path: string, oid: string): Change => ({ path, guard: oid })
const mismatch = (...list: (readonly [string, string, string])[]) => ({
  code: 'aborted',
  reason: 'path_mismatch',
  details: { pathMismatches: list.map(([path, expectedOid, foundOid]) => ({ path, expectedOid, foundOid })) }
})

onBothStores('each form of a guard holds, or tells path, expected and found oid', async (context, kind) => {
  const { commit, store, head } = await setUp(context, kind)
  const start = await commit([put('a'), put('d/b'), put('d/e/c')])
  const { oid: again } = await commit([put('x'), { path: 'x/y', guard: zero }])
  const [object] = await store.readObjects('demo', [start.tree], 1e6)
  const items = parseTree(object?.content as Uint8Array, 'sha1')
  const tree = items.find(({ mode }) => mode === '040000')?.oid as string
  const [a, b] = ['a', 'd/b'].map(blobOid) as [string, string]
  // Each form, its path, and the oid that is there.
  const forms: [(oid: string) => Change, string, string][] = [
    [(oid) => guarded('a', oid), 'a', a],
    [(oid) => guarded('a', oid, { oid: b }), 'a', a],
    [(oid) => guarded('a', oid, { delete: true }), 'a', a],
    [(oid) => guarded('d', oid, { delete: true }), 'd', tree],
    [(oid) => guarded('moved', oid, { moveFrom: 'd/b' }), 'd/b', b],
    [(oid) => guarded('moved', oid, { moveFrom: 'd' }), 'd', tree],
    [(oid) => guarded('new', oid), 'new', zero],
    [(oid) => guarded('d/new', oid), 'd/new', zero],
    [(oid) => guard('a', oid), 'a', a],
    [(oid) => guard('d', oid), 'd', tree],
    [(oid) => guard('none', oid), 'none', zero],
    [(oid) => guard('a/below', oid), 'a/below', zero]
  ]
  for (const [form, path, found] of forms) {
    const label = JSON.stringify(form(found))
    for (const wrong of [absent, found === zero ? a : zero]) {
      await assert.rejects(commit([form(wrong), put('x', 'y')]), mismatch([path, wrong, found]), label)
    }
    assert.equal(await head(), again, label)
    // Back to the start afterwards, so that each form finds the same files.
    const done = await commit([form(found)])
    assert.equal(done.parents[0], again, label)
    await store.updateRefs('demo', [{ name: 'refs/heads/main', expectedOid: done.oid, newOid: again }])
  }
})

onBothStores('all guards that fail are told at once, before anything else that is wrong', async (context, kind) => {
  const { commit } = await setUp(context, kind)
  await commit([put('a'), put('b')])
  const changes = [
    guarded('a', absent),
    guard('b', blobOid('b')),
    guard('none', absent),
    { path: 'missing', delete: true },
    guarded('to', absent, { moveFrom: 'from' })
  ]
  const rejected = commit(changes)
  await assert.rejects(rejected, mismatch(['a', absent, blobOid('a')], ['none', absent, zero], ['from', absent, zero]))
  await assert.rejects(rejected, /"a" is at .*, and 2 other path/)
})

onBothStores('of two writers at once, only one of the same path is refused', async (context, kind) => {
  const { commit, files } = await setUp(context, kind)
  await commit([put('a', '0'), put('b', '0')])
  const zeroth = blobOid('0')
  const write = (path: string, text: string) => commit([guarded(path, zeroth, { content: Buffer.from(text) })])
  const [a, b, again] = await Promise.allSettled([write('a', '1'), write('b', '2'), write('a', '3')])
  assert.deepEqual([a.status, b.status], ['fulfilled', 'fulfilled'])
  const error = (again as PromiseRejectedResult).reason as BlobwireError
  assert.deepEqual(error.details.pathMismatches, [{ path: 'a', expectedOid: zeroth, foundOid: blobOid('1') }])
  assert.deepEqual(await files(), ['a', 'b'])
})

onBothStores('a guard of a path that was only read refuses the commit once another one changed it', async (t, kind) => {
  const { commit } = await setUp(t, kind)
  await commit([put('price'), put('total')])
  const read = blobOid('price')
  const [, total] = await Promise.allSettled([
    commit([put('price', 'dearer')]),
    commit([guard('price', read), put('total', 'sum')])
  ])
  const error = (total as PromiseRejectedResult).reason as BlobwireError
  assert.deepEqual(error.details.pathMismatches, [{ path: 'price', expectedOid: read, foundOid: blobOid('dearer') }])
})

onBothStores('a counter with a guard is exact, with 20 writers at once', async (context, kind) => {
  const { commit, call } = await setUp(context, kind)
  await commit([put('counter', '0')])
  const writer = async () => {
    let value = 0
    for (;;) {
      try {
        return await commit([guarded('counter', blobOid(`${value}`), { content: Buffer.from(`${value + 1}`) })])
      } catch (error) {
        const { details } = error as BlobwireError
        const oid = details.pathMismatches?.[0]?.foundOid
        const { content } = (await call('GetBlob', { oid, revision: '', path: '' })) as { content: Uint8Array }
        value = Number(Buffer.from(content).toString())
      }
    }
  }
  await Promise.all(Array.from({ length: 20 }, writer))
  await commit([guard('counter', blobOid('20'))])
})

onBothStores('guards are held in atomic batches too, against the commits before them', async (context, kind) => {
  const { call, commit, commitRequest, head } = await setUp(context, kind)
  const { oid } = await commit([put('a')])
  const batch = async (second: Change) => {
    const list = [commitRequest([put('a', 'b')]), commitRequest([second])]
    const operations = list.map((request) => ({ commitFiles: { repository: '', ...request } }))
    const { results } = (await call('BatchOperations', { operations, atomic: true })) as {
      results: { error?: { detail: { reason: string } } }[]
    }
    return results.map(({ error }) => error?.detail.reason)
  }
  assert.deepEqual(await batch(guarded('a', blobOid('a'))), ['batch_aborted', 'path_mismatch'])
  assert.equal(await head(), oid)
  assert.deepEqual(await batch(guarded('a', blobOid('b'))), [undefined, undefined])
})

test('a guard that cannot be understood is refused', async (context) => {
  const { commit } = await setUp(context, 'memory')
  await commit([put('a')])
  const wrong: [Change, string][] = [
    [guard('a', 'main'), 'changes[0].guard'],
    [guard('a', ''), 'changes[0].guard'],
    [guarded('a', 'abc'), 'changes[0].guarded.expectedOid'],
    [guarded('a', zero, {}), 'changes[0].guarded'],
    [{ ...guard('a', zero), mode: '100644' }, 'changes[0].mode']
  ]
  for (const [change, field] of wrong) {
    await assert.rejects(commit([change]), (error: BlobwireError) => {
      assert.equal(error.code, 'invalid_argument')
      assert.equal(error.details.violations?.[0]?.field, field)
      return true
    })
  }
})
