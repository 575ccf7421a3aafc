/** The end of a download whose client reads no more. */
import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { MemoryBudget } from '../../server-fixture/memory-budget.ts'
import { Output } from '../../server-fixture/transfers/output.ts'
import { Transfer } from '../../server-fixture/transfers/transfer.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { newRecord } from '../support/records.ts'

test('a transfer that ends early while its last bytes wait for the client ends the stream', async () => {
  const budget = new MemoryBudget(defaultLimits).of({})
  const draining = new AbortController().signal
  for (const isLate of [false, true]) {
    const transfer = new Transfer({
      budget,
      chunkBytes: 1000,
      idleMs: 60_000,
      draining,
      drainMs: 60_000,
      record: newRecord()
    })
    const stream = new Writable({ write: () => undefined })
    const output = new Output<Uint8Array>(stream, transfer)
    output.write(Buffer.alloc(10), 10)
    const abort = () => transfer.abort(new BlobwireError({ reason: 'stalled', message: 'no byte moved' }))
    if (!isLate) abort()
    const ended = output.end()
    if (isLate) abort()
    await ended
    assert.ok(stream.destroyed)
    transfer.end()
  }
})
