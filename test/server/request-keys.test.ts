/** The service's request keys, on a store that can be watched: no transport and no retry is between. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyRemembered } from '../../server-fixture/store/store.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { put, setUp, zero } from './commit-chain.ts'

const reused = { code: 'invalid_argument', reason: 'request_key_reused' }
type Setup = Awaited<ReturnType<typeof setUp>>
type Answer = Messages['ApplyResponse']

const apply = ({ call }: Setup, requestKey: string, write: object, signal?: AbortSignal) =>
  call('Apply', { requestKey, ...write }, signal) as Promise<Answer>
const commit = (setup: Setup, path: string, content = path, expectedHead = '') => ({
  commitFiles: { repository: '', ...setup.commitRequest([put(path, content)], { expectedHead }) }
})

test('a repeated write has the first answer, and no second effect', async (context) => {
  const setup = await setUp(context, 'memory')
  const first = await apply(setup, 'key', commit(setup, 'a'))
  await setup.commit([put('b')])
  assert.deepEqual(await apply(setup, 'key', commit(setup, 'a')), first)
  assert.equal((await setup.history()).length, 2)
})

test('another content, path, message or expected head under the same key is another request', async (context) => {
  const setup = await setUp(context, 'memory')
  await apply(setup, 'key', commit(setup, 'a'))
  const head = await setup.head()
  for (const other of [commit(setup, 'a', 'else'), commit(setup, 'b'), commit(setup, 'a', 'a', head)]) {
    await assert.rejects(apply(setup, 'key', other), reused)
  }
  assert.equal(await setup.head(), head)
})

test('attempts at the same time have one effect, and another request is refused at once', {
  timeout: 10_000
}, async (context) => {
  const setup = await setUp(context, 'memory')
  const { promise, resolve } = Promise.withResolvers<void>()
  setup.watch.beforeUpdate = () => promise
  const attempts = [1, 2, 3].map(() => apply(setup, 'key', commit(setup, 'a')))
  // The first is under way: the other request does not wait for its end.
  await assert.rejects(apply(setup, 'key', commit(setup, 'b')), reused)
  resolve()
  const [first, ...others] = await Promise.all(attempts)
  assert.deepEqual(others, [first, first])
  assert.equal(setup.watch.updates.length, 1)
})

test('a refusal by the state of the repository is remembered, and stays when the state changes', async (context) => {
  const setup = await setUp(context, 'memory')
  const early = commit(setup, 'a', 'a', 'ab'.repeat(20))
  const check = (error: BlobwireError) =>
    error.is('ref_mismatch') && error.details.refMismatches?.[0]?.foundOid === zero
  await assert.rejects(apply(setup, 'key', early), check)
  await setup.commit([put('b')])
  await assert.rejects(apply(setup, 'key', early), check)
})

test('a key has 1 to 64 of certain characters', async (context) => {
  const setup = await setUp(context, 'memory')
  for (const key of ['', 'a b', 'a\n', 'x'.repeat(65), 'é']) {
    await assert.rejects(apply(setup, key, commit(setup, 'a')), { code: 'invalid_argument' }, JSON.stringify(key))
  }
})

test('an attempt whose caller has gone is not begun', async (context) => {
  const setup = await setUp(context, 'memory')
  const gone = AbortSignal.abort()
  await assert.rejects(apply(setup, 'key', commit(setup, 'a'), gone), { code: 'cancelled' })
  const create = { repository: 'other', createRepository: { repository: '', objectFormat: '' } }
  await assert.rejects(apply(setup, 'create', create, gone), { code: 'cancelled' })
  assert.deepEqual([setup.watch.puts, setup.watch.updates], [[], []])
  assert.equal(await setup.store.getRepository('other'), undefined)
})

test('a write that another server on the same store remembered meanwhile is answered with that outcome', async (context) => {
  const setup = await setUp(context, 'memory')
  const request = commit(setup, 'a')
  const first = await apply(setup, 'key', request)
  const { recall } = setup.store
  let looks = 0
  // This server has looked before the other one was done.
  context.mock.method(setup.store, 'recall', async (...args: Parameters<typeof recall>) =>
    ++looks === 1 ? undefined : recall.apply(setup.store, args)
  )
  setup.watch.beforeUpdate = () => Promise.reject(new KeyRemembered('key'))
  assert.deepEqual(await apply(setup, 'key', request), first)
})

test('the rights are looked at first: a key tells nothing to others', async (context) => {
  const setup = await setUp(context, 'memory')
  const request = { repository: 'demo', requestKey: 'key', ...commit(setup, 'a') }
  await setup.call('Apply', request)
  const reader = { may: (access: string) => access === 'read' }
  const asReader = { principal: reader, signal: new AbortController().signal, requestId: 'reader' }
  await assert.rejects(setup.service.call('Apply', request, asReader), { code: 'permission_denied' })
})

test('a repeated commit stores nothing, and no chain waits for it', async (context) => {
  const setup = await setUp(context, 'memory')
  const first = await apply(setup, 'key', commit(setup, 'a'))
  setup.watch.puts = []
  const [again, other] = await Promise.all([
    apply(setup, 'key', commit(setup, 'a')),
    apply(setup, 'b', commit(setup, 'b'))
  ])
  assert.deepEqual(again, first)
  assert.deepEqual(other.commitFiles?.parents, [first.commitFiles?.oid])
  assert.deepEqual((await setup.history()).length, 2)
  const stored = setup.watch.puts.flatMap(([, objects]) => objects.map(({ kind }) => kind))
  assert.deepEqual(stored, ['blob', 'tree', 'commit'])
})

test('an atomic batch that is sent again has the first answer, also without moves of refs', async (context) => {
  const setup = await setUp(context, 'memory')
  const { commitFiles: made } = await apply(setup, 'commit', commit(setup, 'a'))
  const storeBlob = { repository: '', content: Buffer.from('x') }
  const updates = [{ name: 'refs/heads/x', expectedOid: zero, newOid: made?.oid, rawName: new Uint8Array(0) }]
  const listRefs = { repository: '', prefix: '', pageSize: 0, pageToken: '' }
  const batches = [
    [{ storeBlob }, { listRefs }],
    [{ storeBlob }, { updateRefs: { repository: '', updates } }]
  ]
  for (const [index, operations] of batches.entries()) {
    const write = { batch: { repository: '', operations, atomic: true } }
    const first = await apply(setup, `batch ${index}`.replace(' ', '-'), write)
    assert.ok(first.batch?.results.every(({ error }) => error === undefined))
    await setup.commit([put(`c${index}`)], { branch: `other${index}` })
    setup.watch.puts = []
    assert.deepEqual(await apply(setup, `batch-${index}`, write), first)
    assert.deepEqual(setup.watch.puts, [])
  }
})

test('names that no ref may have are refused, and the store is not asked for them', async (context) => {
  const setup = await setUp(context, 'memory')
  const asked: string[] = []
  const { readRefs } = setup.store
  context.mock.method(setup.store, 'readRefs', (name: string, names: string[]) => {
    asked.push(...names)
    return readRefs.call(setup.store, name, names)
  })
  const updates = [{ name: '../../secret', expectedOid: zero, newOid: zero, rawName: new Uint8Array(0) }]
  const operations = [
    { updateRefs: { repository: '', updates } },
    { commitFiles: { ...commit(setup, 'a').commitFiles, branch: '../x' } }
  ]
  const { results } = (await setup.call('BatchOperations', { operations, atomic: true })) as Answer['batch'] & object
  const invalid = operations.map(() => 'invalid_argument')
  assert.deepEqual(
    results.map(({ error }) => error?.code),
    invalid
  )
  assert.deepEqual(asked, [])
})

test('the key of another write is no key for a creation, a change or a deletion', async (context) => {
  const setup = await setUp(context, 'memory')
  await apply(setup, 'key', commit(setup, 'a'))
  const calls = (['createRepository', 'updateRepository', 'deleteRepository'] as const).map((name) => {
    return context.mock.method(setup.store, name)
  })
  const writes = [
    { createRepository: { repository: '', objectFormat: '' } },
    { updateRepository: { repository: '', defaultBranch: 'x' } },
    { deleteRepository: { repository: '' } }
  ]
  for (const write of writes) await assert.rejects(apply(setup, 'key', write), reused)
  assert.deepEqual(
    calls.map(({ mock }) => mock.callCount()),
    [0, 0, 0],
    'a store may keep these keys apart'
  )
})
