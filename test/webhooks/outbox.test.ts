/** The outbox in a file: what a kill, another process and a full disk do to it. */
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/core/clock.ts'
import { type NewMessage, Outbox } from '../../src/webhooks/outbox.ts'
import { type WebhookDeadLetter, WebhookSender } from '../../src/webhooks.ts'
import { temporaryDirectory } from '../cli/directories.ts'
import { startNode } from '../support/child.ts'
import { until } from '../support/until.ts'
import { localGuard, newSender, secret, startReceiver } from './receivers.ts'

const bounds = { maxPending: 100, maxDeadLetters: 100, maxBytes: 2 ** 30, maxBodyBytes: 2 ** 20 }

async function newOutbox(context: TestContext, changes: Partial<typeof bounds> = {}) {
  const file = join(await temporaryDirectory(context), 'outbox.db')
  const open = () => {
    const outbox = new Outbox({ ...bounds, ...changes, file })
    context.after(() => outbox.close())
    return outbox
  }
  return { file, open, outbox: open() }
}

const message = (id: string, changes: Partial<NewMessage> = {}): NewMessage => ({
  ...{ id, type: 'push', contentType: 'application/json', body: Buffer.from(id), orderingKey: undefined },
  ...{ destinations: ['ci'], sentAtMs: 1000, expiresAtMs: 100_000, ...changes }
})
const lease = (nowMs: number) => ({ nowMs, leaseEndsAtMs: nowMs + 10_000 })
const idsOf = (all: readonly { id: string }[]) => all.map(({ id }) => id)

test('of two processes on one file each delivery has one, and only the last owner of a lease says how it ended', async (context) => {
  const { outbox: one, open } = await newOutbox(context)
  const other = open()
  one.insert(['a', 'b', 'c'].map((id) => message(id)))
  const [a, b] = one.claim('ci', 2, lease(2000))
  assert.deepEqual(idsOf(other.claim('ci', 5, lease(2000))), ['c'])
  assert.deepEqual([one.claim('ci', 5, lease(11_999)), other.claim('else', 5, lease(2000))], [[], []])
  // The first process was away for longer than its lease.
  const [again] = other.claim('ci', 1, lease(12_000))
  assert.ok(a && b && again)
  assert.deepEqual(
    [again.id, one.remove(a), one.postpone(a, 13_000), one.bury(a, failure, 13_000)],
    ['a', false, false, false]
  )
  assert.deepEqual([other.remove(again), one.remove(b)], [true, true])
  assert.deepEqual([...one.counts()], [['ci', { pending: 1, dead: 0 }]])
})

const failure = { code: 'unavailable', reason: 'receiver_failed', message: 'x', status: 500 }

test('of one ordering key the first delivery alone is due, until it has ended in any way', async (context) => {
  const { outbox } = await newOutbox(context)
  const keyed = { orderingKey: 'a/b', destinations: ['ci', 'else'] }
  outbox.insert(['1', '2', '3', '4'].map((id) => message(id, keyed)))
  outbox.insert([message('5', { ...keyed, orderingKey: 'c' })])
  const due = () => idsOf(outbox.claim('ci', 9, lease(2000)))
  const [first, fifth] = outbox.claim('ci', 9, lease(2000))
  assert.deepEqual([first?.id, fifth?.id, due()], ['1', '5', []])
  assert.ok(first)
  outbox.postpone(first, 3000, failure)
  assert.deepEqual([due(), outbox.dueAtMs('ci')], [[], 3000])
  const [again] = outbox.claim('ci', 9, lease(3000))
  assert.deepEqual([again?.id, again?.attempts], ['1', 1])
  outbox.remove(again ?? first)
  const [second] = outbox.claim('ci', 9, lease(3000))
  assert.equal(second?.id, '2')
  outbox.bury(second ?? first, failure, 4000)
  assert.deepEqual(due(), ['3'])
  assert.deepEqual(idsOf(outbox.claim('else', 9, lease(2000))), ['1', '5'])
})

test('a webhook that is in the outbox is not added again, and its body goes with its last delivery', async (context) => {
  const { outbox } = await newOutbox(context)
  outbox.insert([message('a', { destinations: ['ci', 'else'] })])
  outbox.insert([message('a', { body: Buffer.from('other') })])
  const [ci] = outbox.claim('ci', 9, lease(2000))
  assert.ok(ci && outbox.remove(ci))
  const [other] = outbox.claim('else', 9, lease(2000))
  assert.equal(Buffer.from(other?.body ?? '').toString(), 'a')
  outbox.bury(other ?? ci, failure, 3000)
  assert.ok(outbox.discard(other?.sequence ?? 0))
  // Nothing is left of it: the id is free.
  outbox.insert([message('a', { body: Buffer.from('new') })])
  assert.equal(Buffer.from(outbox.claim('ci', 9, lease(2000))[0]?.body ?? '').toString(), 'new')
})

test('a delivery expires unless an attempt is under way', async (context) => {
  const { outbox } = await newOutbox(context)
  outbox.insert(['a', 'b'].map((id) => message(id, { expiresAtMs: 5000 })))
  const [a] = outbox.claim('ci', 1, lease(4000))
  assert.deepEqual(idsOf(outbox.sweep(4999)), [])
  assert.deepEqual(idsOf(outbox.sweep(5000)), ['b'])
  assert.deepEqual(idsOf(outbox.sweep(14_000)), ['a'])
  assert.ok(a && !outbox.remove(a))
  assert.deepEqual(
    outbox.deadLetters(undefined, 0, 9).map(({ error }) => error?.reason),
    ['webhook_expired', 'webhook_expired']
  )
})

test('the file is private, bounded, and of a known version', async (context) => {
  const { file, outbox } = await newOutbox(context, { maxBytes: 100_000 })
  assert.equal(statSync(file).mode & 0o077, 0)
  const large = (id: string) => message(id, { body: Buffer.alloc(50_000) })
  outbox.insert([large('a'), large('b')])
  assert.throws(() => outbox.insert([large('c')]), { code: 'resource_exhausted', reason: 'queue_full' })
  // Room that deliveries leave is used again.
  for (const delivery of outbox.claim('ci', 9, lease(2000))) outbox.remove(delivery)
  outbox.insert([large('c')])
  const other = join(await temporaryDirectory(context), 'other')
  writeFileSync(other, 'no database at all, but some text that is long enough to be looked at')
  assert.throws(() => new Outbox({ ...bounds, file: other }), /not a database/)
})

test('two senders on one file deliver each webhook once', async (context) => {
  const receiver = await startReceiver(context)
  const file = join(await temporaryDirectory(context), 'outbox.db')
  const options = { destinations: [receiver.destination('ci')], outbox: { file } }
  const senders = [newSender(context, options), newSender(context, options)]
  const sent = await Promise.all(
    Array.from({ length: 200 }, (_, index) => (senders[index % 2] as WebhookSender).send({ type: 'push', data: index }))
  )
  await until(() => senders[0]?.stats().pending === 0, 'all arrived')
  assert.deepEqual(idsOf(receiver.received).sort(), idsOf(sent).sort())
  const delivered = senders.map((sender) => sender.stats().destinations[0]?.delivered ?? 0)
  assert.equal((delivered[0] ?? 0) + (delivered[1] ?? 0), 200)
})

test('a sender that is killed loses no webhook that it accepted; another one goes on', async (context) => {
  const file = join(await temporaryDirectory(context), 'outbox.db')
  let isKilled = false
  // The first requests are answered, the next ones are under way when the process dies.
  const receiver = await startReceiver(context, (_received, _response, index) =>
    isKilled || index < 20 ? 200 : undefined
  )
  const child = startNode('test/webhooks/sender-child.ts', file, receiver.url, secret)
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await until(() => receiver.received.length > 20 && output !== '', 'attempts under way')
  child.kill('SIGKILL')
  await closed
  isKilled = true
  const accepted = output.split('\n').slice(0, -1)
  assert.ok(accepted.length > 0)
  // The leases of the process that is gone have ended on this clock.
  const clock = { ...systemClock, wallTimeMs: () => Date.now() + 60_000 }
  const sender = new WebhookSender(
    { guard: localGuard, destinations: [receiver.destination('ci')], outbox: { file } },
    { clock, random: Math.random }
  )
  context.after(() => sender.close({ drainMs: 0 }))
  await until(() => sender.stats().pending === 0, 'the outbox is empty')
  const arrived = new Set(idsOf(receiver.received))
  assert.deepEqual(
    accepted.filter((id) => !arrived.has(id)),
    []
  )
  assert.equal(sender.stats().dead, 0)
})

test('a sender that closes leaves what waits in the file, and the next one tells dead letters that were not told', async (context) => {
  let status = 400
  const receiver = await startReceiver(context, () => status)
  const file = join(await temporaryDirectory(context), 'outbox.db')
  const options = { guard: localGuard, destinations: [receiver.destination('ci')], outbox: { file } }
  const first = new WebhookSender(options)
  await first.deliver({ type: 'push', data: 1, id: 'dead' })
  first.removeDestination('ci')
  first.addDestination(receiver.destination('other'))
  await first.send({ type: 'push', data: 2, id: 'waits', destinations: ['other'] })
  await first.close({ drainMs: 0 })
  status = 200
  const letters: WebhookDeadLetter[] = []
  const second = newSender(context, {
    ...options,
    destinations: [receiver.destination('other')],
    onDeadLetter: (letter) => void letters.push(letter)
  })
  await until(() => letters.length > 0 && second.stats().pending === 0, 'told and delivered')
  assert.deepEqual(idsOf(letters), ['dead'])
  assert.equal(receiver.received.at(-1)?.id, 'waits')
})
