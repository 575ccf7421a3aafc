/** A message that is refused while it is decompressed or waits for its turn, after the client has ended its side. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Charge, MemoryBudget } from '../../server-fixture/memory-budget.ts'
import { Session } from '../../server-fixture/service/session.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { newRecord } from '../support/records.ts'

function session() {
  const budget = new MemoryBudget({
    maxBatchBytes: 100,
    maxConnectionInFlightBytes: 1000,
    maxInFlightBytes: 10_000
  }).of({})
  const ends: (BlobwireError | undefined)[] = []
  const stream = {
    isRead: true,
    unreadBytes: 0,
    input: { pause: () => undefined, resume: () => undefined },
    send: () => undefined,
    flushed: async () => undefined,
    end: async (error: BlobwireError | undefined) => void ends.push(error)
  }
  const service = { limits: defaultLimits } as unknown as VcsService
  const authenticate = () => ({ may: () => true })
  const draining = new AbortController().signal
  const bounds = { budget, record: newRecord(), bodyTimeoutMs: 30_000 }
  const opened = new Session(stream, { service, requestId: 'r', authenticate, draining, ...bounds })
  opened.start()
  return { opened, ends, charge: new Charge(budget) }
}

for (const reason of ['connection_full', 'message_too_large'] as const) {
  test(`the stream ends with ${reason}, not in good order`, async () => {
    const { opened, ends, charge } = session()
    const { promise, reject } = Promise.withResolvers<Messages['SessionRequest']>()
    opened.receive(promise, charge)
    const finished = opened.finish()
    reject(new BlobwireError({ reason, message: 'no room' }))
    await finished
    await opened.ended
    assert.deepEqual(
      ends.map((error) => error?.reason),
      [reason]
    )
  })
}
