/** However many calls have a signal, the signal has one listener, and none after them. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { listen, stopListening } from '../../src/core/abort-listeners.ts'
import { failureOf } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

test('an abort is told to all that listen, in their order, and to none that stopped', () => {
  const controller = new AbortController()
  const { signal } = controller
  const told: string[] = []
  const listeners = ['a', 'b', 'c'].map((name) => ({ handleEvent: () => told.push(name) }))
  for (const listener of listeners) listen(signal, listener)
  stopListening(signal, listeners[1] as (typeof listeners)[number])
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  controller.abort()
  assert.deepEqual(told, ['a', 'c'])
  for (const listener of listeners) stopListening(signal, listener)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

for (const [name, interceptors] of [
  ['no interceptor', []],
  ['an interceptor', [(call: unknown, next: (call: unknown) => unknown) => next(call)]]
] as const) {
  test(`2,000 calls with one signal, and ${name}`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ interceptors: interceptors as never })
    await client.createRepository('demo')
    const own = new AbortController()
    for (const signal of [own.signal, AbortSignal.any([own.signal])]) {
      const made = Array.from({ length: 2000 }, (_, index) => client.storeBlob('demo', `${index}`, { signal }))
      assert.equal(getEventListeners(signal, 'abort').length, 1)
      await Promise.all(made)
      assert.equal(getEventListeners(signal, 'abort').length, 0)
      for (let index = 0; index < 20; index++) await client.storeBlob('demo', 'x', { signal })
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    }
    faults.add({ rpc: 'StoreBlob', fault: { kind: 'silence' } })
    const lost = Array.from({ length: 2000 }, () => failureOf(client.storeBlob('demo', 'y', { signal: own.signal })))
    own.abort()
    for (const { error } of await Promise.all(lost)) assert.equal(error.code, 'cancelled')
    assert.equal(getEventListeners(own.signal, 'abort').length, 0)
  })
}
