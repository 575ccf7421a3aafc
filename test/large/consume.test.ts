/** The order of events of an upload's stream, which networks seldom show. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { MemoryBudget } from '../../server-fixture/memory-budget.ts'
import { consume } from '../../server-fixture/transfers/consume.ts'
import { Transfer } from '../../server-fixture/transfers/transfer.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { newRecord } from '../support/records.ts'

function transfer(): Transfer {
  const budget = new MemoryBudget(defaultLimits).of({})
  const draining = new AbortController().signal
  return new Transfer({ budget, chunkBytes: 1000, idleMs: 60_000, draining, drainMs: 60_000, record: newRecord() })
}

test('a stream that ends while its last item is being taken waits for it, and has its error', async () => {
  const order: string[] = []
  const input = Readable.from(['a'], { objectMode: true }).once('end', () => order.push('end'))
  const take = async () => {
    while (order.length === 0) await new Promise((resolve) => setImmediate(resolve))
    order.push('taken')
    throw new Error('no')
  }
  await assert.rejects(consume(input, { take, transfer: transfer() }), { message: 'no' })
  assert.deepEqual(order, ['end', 'taken'])
})

test('a stream that was cut before it is read ends as one that was cut', async () => {
  const input = Object.assign(Readable.from([], { objectMode: true }), { aborted: true })
  await assert.rejects(consume(input, { take: () => undefined, transfer: transfer() }), { code: 'cancelled' })
})

test('an error waits for the item that is being taken', async () => {
  const running = transfer()
  const input = new Readable({ objectMode: true, read: () => undefined })
  let isTaken = false
  const take = async () => {
    input.destroy()
    await new Promise((resolve) => setTimeout(resolve, 20))
    isTaken = true
  }
  const consumed = consume(input, { take, transfer: running })
  input.push('a')
  await assert.rejects(consumed, { code: 'cancelled' })
  assert.ok(isTaken)
})
