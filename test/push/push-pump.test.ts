/** Push events go into the outbox again, the same, where the place behind them could not be kept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openCursors, type PushCursors } from '../../server-fixture/push/push-cursors.ts'
import { PushPump } from '../../server-fixture/push/push-pump.ts'
import { EventLog } from '../../server-fixture/store/event-log.ts'
import { EventListeners, type EventRequest } from '../../server-fixture/store/events.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import type { WebhookMessage } from '../../src/webhooks.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { settled } from '../support/pipeline-harness.ts'

const oid = (digit: number) => String(digit).repeat(40)

test('what is sent again has the same id, and nothing is left out', async (context) => {
  const log = new EventLog(1_000_000)
  const listeners = new EventListeners()
  const incarnation = 'first'
  log.begin('demo', { incarnation, sequence: 0 })
  const store = {
    listRepositories: async () => [{ repository: 'demo' }],
    async readEvents(repository: string, { after = { incarnation, sequence: 0 }, limit }: EventRequest) {
      const { events = [] } = log.read(repository, after, limit) ?? {}
      return { events, cursor: { incarnation, sequence: events.at(-1)?.sequence ?? after.sequence }, state: 'current' }
    },
    onEvents: (listener: (repository: string) => void) => listeners.add(listener)
  } as unknown as Store
  const cursors = openCursors(undefined)
  let isFull = false
  const failing: PushCursors = Object.assign(Object.create(cursors) as PushCursors, {
    isNew: true,
    get: (repository: string) => cursors.get(repository),
    delete: (repository: string) => cursors.delete(repository),
    begun: () => undefined,
    close: () => undefined,
    set(...values: Parameters<PushCursors['set']>) {
      if (isFull) throw new Error('disk full')
      cursors.set(...values)
    }
  })
  const sent: WebhookMessage[] = []
  const logged: unknown[] = []
  const clock = new FakeClock()
  const pump = await PushPump.start({
    store,
    cursors: failing,
    destinations: [{ id: 'ci', url: '', secrets: '', repositories: ['*'], refs: ['refs/'] }],
    send: async (message) => void sent.push(message),
    log: ({ event }) => void logged.push(event),
    clock
  })
  context.after(() => pump.close())
  const move = async (sequence: number) => {
    const moves = [{ name: 'refs/heads/main', oldOid: oid(sequence - 1), newOid: oid(sequence) }]
    log.add(incarnation, [{ sequence, timeMs: 0, moves }])
    listeners.tell('demo')
    await settled()
  }
  await move(1)
  isFull = true
  await move(2)
  await move(3)
  isFull = false
  clock.advance(1000)
  await settled()
  const ids = sent.map(({ id }) => id)
  assert.equal(new Set(ids).size, 3)
  assert.ok(ids.length > 3, 'the place was not kept')
  assert.deepEqual(ids.slice(-2), [...new Set(ids)].slice(-2))
  assert.ok(logged.includes('push_failed'))
})
