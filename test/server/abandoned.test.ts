/** A write whose caller goes while its objects are stored moves no ref: what follows acknowledged work stays as it is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BlobwireError } from '../../src/core/error.ts'
import { later } from '../support/until.ts'
import { put, ref, setUp, storeKinds, zero } from './commit-chain.ts'

for (const kind of storeKinds) {
  test(`a caller that goes while objects are stored (${kind} store)`, async (context) => {
    const setup = await setUp(context, kind)
    const { oid } = await setup.commit([put('a')])
    const move = { updateRefs: { repository: '', updates: [{ name: 'refs/tags/v1', expectedOid: zero, newOid: oid }] } }
    const blob = (text: string) => ({ storeBlob: { repository: '', content: Buffer.from(text) } })
    const batch = (text: string, atomic: boolean) => ({ operations: [blob(text), move], atomic })
    const writes: [string, string, object][] = [
      ['a batch', 'BatchOperations', batch('one', false)],
      ['an atomic batch', 'BatchOperations', batch('two', true)],
      [
        'an atomic batch with a key',
        'Apply',
        { requestKey: 'batch', batch: { repository: '', ...batch('three', true) } }
      ],
      ['a commit', 'CommitFiles', setup.commitRequest([put('b')])],
      [
        'a commit with a key',
        'Apply',
        { requestKey: 'c', commitFiles: { repository: '', ...setup.commitRequest([put('c')]) } }
      ]
    ]
    for (const [name, method, request] of writes) {
      const controller = new AbortController()
      setup.watch.beforePut = () => controller.abort()
      setup.watch.updates = []
      const outcome = await setup.call(method, request, controller.signal).catch((error: Error) => error)
      setup.watch.beforePut = undefined
      assert.match(JSON.stringify([outcome, (outcome as Error).message]), /no longer waits/, name)
      assert.deepEqual(setup.watch.updates, [], name)
    }
    assert.deepEqual(await setup.store.readRefs('demo', [ref, 'refs/tags/v1']), [oid, undefined])
  })
}

test('an operation of a frame that is cancelled, or out of time, while the objects of its batch are stored', async (context) => {
  const setup = await setUp(context, 'memory')
  const { oid } = await setup.commit([put('a')])
  const updates = [{ name: 'refs/tags/v1', expectedOid: zero, newOid: oid }]
  const move = (timeoutMs: number) => ({
    apply: { requestKey: `key-${timeoutMs}`, timeoutMs, updateRefs: { repository: '', updates } }
  })
  const principal = { may: () => true }
  for (const [timeoutMs, code] of [
    [0, 'cancelled'],
    [1, 'deadline_exceeded']
  ] as const) {
    const content = Buffer.from(`for ${timeoutMs}`)
    const operations = [{ storeBlob: { repository: '', content } }, move(timeoutMs)]
    let isCancelled = false
    setup.watch.beforePut = async () => {
      if (timeoutMs === 0) isCancelled = true
      else await later(5)
    }
    setup.watch.updates = []
    const beforeOperation = (index: number) => {
      if (isCancelled && index === 1) throw new BlobwireError({ code: 'cancelled', message: 'cancelled' })
    }
    const caller = { principal, signal: new AbortController().signal, requestId: 'test', beforeOperation }
    const results = await setup.service.sessionBatch({ repository: 'demo', operations }, caller)
    assert.deepEqual([results[1]?.error?.code, setup.watch.updates], [code, []])
  }
})
