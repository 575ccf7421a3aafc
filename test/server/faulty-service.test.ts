/** Faults decorate the service: around calls, batches and frames, and before single operations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { withFaults } from '../../server-fixture/faults/faulty-service.ts'
import type { CallContext } from '../../server-fixture/service/context.ts'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject, zeroOid } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'

const context: CallContext = {
  principal: { may: () => true },
  signal: new AbortController().signal,
  requestId: 'test'
}
const unavailable = { kind: 'status', code: 'unavailable' } as const
const blob = (text: string) => ({ storeBlob: { repository: '', content: Buffer.from(text) } })
const find = (text: string) => ({
  findMissing: { repository: '', oids: [hashObject('blob', Buffer.from(text), 'sha1')] }
})
const codes = (results: Messages['OperationResult'][]) => results.map(({ error }) => error?.code)

async function setUp() {
  const store = new MemoryStore()
  await store.createRepository('demo', 'sha1')
  const service = new Service(store, { serverVersion: '0', onInternalError: (error) => assert.fail(String(error)) })
  const faults = new Faults()
  const faulty = withFaults(service, faults)
  const frame = async (operations: object[], over: Partial<CallContext> = {}, repository = 'demo') =>
    faulty.sessionBatch({ repository, operations: operations as Messages['Operation'][] }, { ...context, ...over })
  return { store, service, faults, faulty, frame }
}

test('a status fails the operation it names, in its place, and no other', async () => {
  const { faults, frame } = await setUp()
  faults.add({ rpc: 'FindMissing', count: 1, fault: unavailable })
  faults.add({ rpc: 'StoreBlob', after: 1, count: 1, fault: unavailable })
  const results = await frame([find('x'), blob('a'), blob('b'), find('b'), blob('c')])
  assert.deepEqual(codes(results), ['unavailable', undefined, 'unavailable', undefined, undefined])
  assert.equal(results[3]?.findMissing?.missing.length, 1, 'the failed operation was not carried out')
  assert.deepEqual([faults.carriedOut('StoreBlob'), faults.carriedOut('FindMissing')], [2, 1])
})

test('a status that names the call or the frame refuses it whole', async () => {
  const { faults, faulty, frame } = await setUp()
  faults.add({ rpc: ['BatchOperations', 'Session', 'GetCapabilities'], fault: unavailable })
  const batch = { repository: 'demo', operations: [blob('a')], atomic: false }
  const refused = { code: 'unavailable', reason: 'fault' }
  await assert.rejects(faulty.call('BatchOperations', batch, context), refused)
  await assert.rejects(frame([blob('a')]), refused)
  await assert.rejects(faulty.call('GetCapabilities', {}, context), refused)
  assert.equal(faults.carriedOut('StoreBlob'), 0)
  assert.equal(faults.fired('status'), 3)
})

test('a failed ref change in an atomic batch takes the others with it', async () => {
  const { store, faults, faulty } = await setUp()
  const newOid = hashObject('blob', Buffer.from('a'), 'sha1')
  const move = (name: string) => ({
    updateRefs: { repository: '', updates: [{ name: `refs/tags/${name}`, expectedOid: zeroOid('sha1'), newOid }] }
  })
  faults.add({ rpc: 'UpdateRefs', after: 1, fault: unavailable })
  const batch = { repository: 'demo', operations: [blob('a'), move('x'), move('y')], atomic: true }
  const { results } = (await faulty.call('BatchOperations', batch, context)) as Messages['BatchOperationsResponse']
  assert.deepEqual(codes(results), [undefined, 'aborted', 'unavailable'])
  assert.deepEqual(await store.readRefs('demo', ['refs/tags/x', 'refs/tags/y']), [undefined, undefined])
})

test('a frame that the service refuses was not carried out', async () => {
  const { faults, frame } = await setUp()
  await assert.rejects(frame([blob('a')], {}, 'absent'), { code: 'not_found' })
  assert.equal(faults.carriedOut('StoreBlob'), 0)
})

test('operations that the client cancelled stay cancelled', async () => {
  const { faults, frame } = await setUp()
  faults.add({ rpc: 'StoreBlob', count: 1, fault: unavailable })
  const beforeOperation = (index: number) => {
    if (index === 1) throw new BlobwireError({ code: 'cancelled', message: 'cancelled' })
  }
  assert.deepEqual(codes(await frame([blob('a'), blob('b'), blob('c')], { beforeOperation })), [
    'unavailable',
    'cancelled',
    undefined
  ])
})
