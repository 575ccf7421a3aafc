/** CommitFiles calls that wait for one branch at the same time become one chain of commits. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { BranchQueues } from '../../server-fixture/service/branch-queue.ts'
import { commitFiles } from '../../server-fixture/service/commit-files.ts'
import { ReadCaches } from '../../server-fixture/service/read-caches.ts'
import { Workspace } from '../../server-fixture/service/workspace.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { blobOid, type Change, type Outcome, put, ref, repository, setUp, storeKinds, zero } from './commit-chain.ts'

function onBothStores(name: string, run: (test: TestContext, kind: (typeof storeKinds)[number]) => Promise<void>) {
  for (const kind of storeKinds) test(`${name} (${kind} store)`, (context) => run(context, kind))
}

const numbers = Array.from({ length: 200 }, (_value, index) => index)

onBothStores('200 calls at once are one chain in their order, and none is lost', async (context, kind) => {
  const { commit, history, files, watch, head } = await setUp(context, kind)
  const made = await Promise.all(numbers.map((n) => commit([put(`d${n % 7}/f${n}`)], { message: `${n}` })))
  const found = await history()
  assert.deepEqual(
    found.map(({ message }) => message),
    numbers.map(String)
  )
  assert.deepEqual(
    made.map(({ oid, tree, parents }) => ({ oid, tree, parents })),
    found.map(({ oid, tree, parents }) => ({ oid, tree, parents }))
  )
  assert.deepEqual(
    made.map(({ result }) => result),
    numbers.map((n) => (n === 0 ? 'created' : 'moved'))
  )
  assert.equal(await head(), made.at(-1)?.oid)
  assert.equal((await files()).length, 200)
  assert.deepEqual([watch.puts.length, watch.updates.length], [1, 1])
})

onBothStores('the order of arrival holds where the first call takes longer to find the repository', async (t, kind) => {
  const { commit, watch, history } = await setUp(t, kind)
  let finds = 0
  watch.beforeGet = async () => {
    if (finds++ > 0) return
    while (finds < 3) await new Promise((resolve) => setImmediate(resolve))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await Promise.all(['first', 'second', 'third'].map((message) => commit([put(message)], { message })))
  assert.deepEqual(
    (await history()).map(({ message }) => message),
    ['first', 'second', 'third']
  )
})

onBothStores('commits of one batch become one chain, after what the batch stored before them', async (test, kind) => {
  const { call, commitRequest, watch, files } = await setUp(test, kind)
  const content = Buffer.from('stored first')
  watch.puts = []
  const commits = numbers.map((n) => ({ commitFiles: { repository: '', ...commitRequest([put(`f${n}`)]) } }))
  const named = { commitFiles: { repository: '', ...commitRequest([{ path: 'named', oid: blobOid('stored first') }]) } }
  const operations = [{ storeBlob: { repository: '', content } }, ...commits, named]
  const answer = await call('BatchOperations', { operations, atomic: false })
  const { results } = answer as Messages['BatchOperationsResponse']
  const parents = results.slice(1).map(({ commitFiles }) => commitFiles?.parents[0])
  const oids = results.slice(1).map(({ commitFiles }) => commitFiles?.oid)
  assert.deepEqual(parents, [undefined, ...oids.slice(0, -1)])
  assert.equal((await files()).length, 201)
  // The blob that came before the commits, and the chain.
  assert.deepEqual([watch.puts.length, watch.updates.length], [2, 1])
})

onBothStores('a refused call leaves the others alone, and stores nothing', async (context, kind) => {
  const { commit, store, files } = await setUp(context, kind)
  const bad: Change[] = [put('x', 'never stored'), { path: 'none', delete: true }]
  const settled = await Promise.allSettled([
    commit([put('a')]),
    commit(bad),
    commit([{ path: 'y', oid: 'ab'.repeat(20) }]),
    commit([put('b')])
  ])
  const [first, second, third] = settled.map((item) =>
    item.status === 'fulfilled' ? item.value.oid : [item.reason.code, item.reason.reason]
  )
  assert.deepEqual(second, ['failed_precondition', 'path_not_found'])
  assert.deepEqual(third, ['failed_precondition', 'missing_object'])
  assert.deepEqual((settled[3] as PromiseFulfilledResult<Outcome>).value.parents, [first])
  assert.deepEqual(await files(), ['a', 'b'])
  assert.deepEqual(await store.hasObjects(repository, [blobOid('never stored')]), [undefined])
})

onBothStores('an object that only a refused call brought is missing for the next one', async (context, kind) => {
  const { commit } = await setUp(context, kind)
  const oid = blobOid('brought')
  const refused = commit([put('x', 'brought'), { path: 'none', delete: true }])
  const next = commit([{ path: 'y', oid }])
  await assert.rejects(refused, { reason: 'path_not_found' })
  await assert.rejects(next, { reason: 'missing_object', details: { missingOids: [oid] } })
})

onBothStores('an expected head in the middle of a chain is held against the chain', async (context, kind) => {
  const { commit, head, files } = await setUp(context, kind)
  const { oid: start } = await commit([put('start')])
  const first = commit([put('a')])
  const stale = assert.rejects(commit([put('b')], { expectedHead: start }), (error: BlobwireError) => {
    assert.equal(error.reason, 'ref_mismatch')
    mismatches = error.details.refMismatches
    return true
  })
  let mismatches: unknown
  const last = commit([put('c')])
  await stale
  assert.deepEqual(mismatches, [{ name: ref, expectedOid: start, foundOid: (await first).oid }])
  assert.equal(await head(), (await last).oid)
  assert.deepEqual(await files(), ['a', 'c', 'start'])
  const rightful = await Promise.allSettled([
    commit([put('d')], { expectedHead: (await last).oid }),
    commit([put('e')], { expectedHead: (await last).oid }),
    commit([put('f')], { expectedHead: zero })
  ])
  assert.deepEqual(
    rightful.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected']
  )
})

onBothStores('a chain is made again where git moves the branch in the middle', async (context, kind) => {
  const { commit, store, watch, history } = await setUp(context, kind)
  const first = await commit([put('a')], { message: 'first' })
  const second = await commit([put('b')], { message: 'second' })
  watch.updates = []
  watch.beforeUpdate = async () => {
    watch.beforeUpdate = undefined
    await store.updateRefs(repository, [{ name: ref, expectedOid: second.oid, newOid: first.oid }])
  }
  const [third, refused, fourth] = await Promise.allSettled([
    commit([put('c')], { message: 'third' }),
    // It holds on the first attempt of the chain, on which nobody has ever seen the branch.
    commit([{ path: 'b', delete: true }], { expectedHead: '', message: 'never' }),
    commit([put('d')], { message: 'fourth' })
  ])
  assert.equal(refused.status === 'rejected' && refused.reason.reason, 'path_not_found')
  assert.deepEqual([third.status, fourth.status], ['fulfilled', 'fulfilled'])
  assert.deepEqual(
    (await history()).map(({ message }) => message),
    ['first', 'third', 'fourth']
  )
  assert.equal(watch.updates.length, 2)
})

onBothStores('a branch that others move each time is given up after 100 races', async (context, kind) => {
  const { commit, store, watch, head } = await setUp(context, kind)
  const first = await commit([put('a')])
  const second = await commit([put('b')])
  watch.updates = []
  watch.beforeUpdate = async () => {
    const at = await head()
    const other = at === first.oid ? second.oid : first.oid
    await store.updateRefs(repository, [{ name: ref, expectedOid: at, newOid: other }])
  }
  const calls = await Promise.allSettled([commit([put('c')]), commit([put('d')])])
  for (const call of calls) assert.equal(call.status === 'rejected' && call.reason.reason, 'ref_mismatch')
  assert.equal(watch.updates.length, 101)
})

onBothStores(
  'an error of the store is the error of every call of the chain, and later calls succeed',
  async (t, kind) => {
    const { commit, watch, files } = await setUp(t, kind)
    for (const effect of ['beforePut', 'beforeUpdate'] as const) {
      watch[effect] = () => {
        watch[effect] = undefined
        throw new BlobwireError({ code: 'unavailable', message: 'the disk is full' })
      }
      const calls = await Promise.allSettled([commit([put('a')]), commit([put('b')])])
      for (const call of calls) assert.equal(call.status === 'rejected' && call.reason.code, 'unavailable')
    }
    await commit([put('c')])
    assert.deepEqual(await files(), ['c'])
  }
)

onBothStores('a call that was given up before its turn, or before its effect, has none', async (context, kind) => {
  for (const moment of ['beforePut', 'waiting', 'chain'] as const) {
    const { commit, files, history, watch } = await setUp(context, kind)
    const abort = new AbortController()
    if (moment === 'beforePut') watch.beforePut = () => abort.abort()
    const calls = [commit([put('a')]), commit([put('b')], { signal: abort.signal }), commit([put('c')])]
    if (moment === 'waiting') abort.abort()
    if (moment === 'chain') setImmediate(() => queueMicrotask(() => abort.abort()))
    const settled = await Promise.allSettled(calls)
    assert.deepEqual(
      settled.map((call) => (call.status === 'fulfilled' ? 'made' : call.reason.code)),
      ['made', 'cancelled', 'made'],
      moment
    )
    assert.deepEqual(await files(), ['a', 'c'], moment)
    assert.equal((await history()).length, 2, moment)
  }
})

onBothStores('the keys of a chain are remembered with the answers that were given', async (context, kind) => {
  const { store, watch, commitRequest, commit } = await setUp(context, kind)
  const watched = watch.watched(store)
  const info = await store.getRepository(repository)
  assert.ok(info)
  const commits = new BranchQueues()
  const signal = new AbortController().signal
  const caches = new ReadCaches()
  const parts = {
    store: watched,
    repository: info,
    limits: defaultLimits,
    caller: { signal, requestId: '' },
    commits,
    caches
  }
  const keyed = (name: string) => {
    const request = { repository, ...commitRequest([put(name)]) } as Messages['CommitFilesRequest']
    return commitFiles(new Workspace(parts, false), request, {
      key: name,
      digest: `digest of ${name}`,
      requestId: `id of ${name}`
    })
  }
  await commit([put('start')])
  watch.updates = []
  const made = await Promise.all(['k1', 'k2', 'k3'].map(keyed))
  for (const [index, response] of made.entries()) {
    const key = `k${index + 1}`
    assert.deepEqual(await store.recall(repository, key), {
      digest: `digest of ${key}`,
      outcome: JSON.stringify({ response })
    })
  }
  const [[, moves, records] = []] = watch.updates
  const [first, , last] = made
  assert.deepEqual(moves, [{ name: ref, expectedOid: first?.parents[0], newOid: last?.oid }])
  assert.deepEqual(
    records?.requests?.map(({ moves }) => moves),
    made.map(({ oid, parents }) => [{ name: ref, expectedOid: parents[0], newOid: oid }])
  )
  assert.deepEqual(
    records?.events,
    made.map(({ oid, parents }, index) => {
      return { requestId: `id of k${index + 1}`, moves: [{ name: ref, oldOid: parents[0], newOid: oid }] }
    })
  )
  assert.equal(commits.size, 0)
})

onBothStores('branches do not wait for each other', async (context, kind) => {
  const { commit, watch } = await setUp(context, kind)
  let release: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  watch.beforeUpdate = () => {
    watch.beforeUpdate = undefined
    return gate
  }
  const held = commit([put('a')])
  while (watch.updates.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await commit([put('b')], { branch: 'other' })
  release()
  await held
})

onBothStores('a base tree without an expected head is refused', async (context, kind) => {
  const { commit } = await setUp(context, kind)
  const { tree, oid } = await commit([put('a')])
  await assert.rejects(commit([put('b')], { baseTree: tree }), { code: 'invalid_argument' })
  await commit([put('b')], { baseTree: tree, expectedHead: oid })
})

onBothStores(
  'commits under keys keep the order of their calls, however late the store answers each',
  async (context, kind) => {
    const { call, watch, commitRequest, history } = await setUp(context, kind)
    let asked = 0
    // The earlier a question, the later its answer.
    watch.beforeGet = async () => {
      const turns = 20 - (asked++ % 20)
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    const messages = Array.from({ length: 20 }, (_value, index) => `commit-${index}`)
    const write = (message: string) => ({
      requestKey: message,
      commitFiles: commitRequest([put(message)], { message })
    })
    await Promise.all(messages.map((message) => call('Apply', write(message))))
    watch.beforeGet = undefined
    assert.deepEqual(
      (await history()).map(({ message }) => message),
      messages
    )
  }
)
