/** Deliveries that wait: behind breakers, slow receivers and each other; dead letters, bounds, and the end of a sender. */
import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { WebhookDeadLetter } from '../../src/webhooks.ts'
import { runNode } from '../support/child.ts'
import { until } from '../support/until.ts'
import { newFakeSender, newSender, secret, startReceiver } from './receivers.ts'

test('the breaker opens on the dead destination alone, and its deliveries wait without using up attempts', async (context) => {
  const good = await startReceiver(context)
  const port = await unusedPort()
  const dead = { id: 'dead', url: `http://127.0.0.1:${port}/`, secrets: secret }
  const { sender, clock, quiet } = newFakeSender(context, {
    destinations: [good.destination('good'), dead],
    retry: { delaysMs: [100, 100, 100, 100, 100, 100, 100, 100] }
  })
  for (let index = 0; index < 20; index++) await sender.send({ type: 'push', data: index })
  await until(() => good.received.length === 20, 'all deliveries of the good one')
  for (let step = 0; step < 60; step++) {
    await quiet()
    clock.advance(100)
  }
  const [goodStats, deadStats] = sender.stats().destinations
  assert.deepEqual([goodStats?.breaker, goodStats?.breakerOpenings, goodStats?.failedAttempts], ['closed', 0, 0])
  assert.equal(deadStats?.breaker === 'closed', false)
  const { attempts = 0 } = deadStats ?? {}
  assert.ok(attempts >= 5 && attempts <= 8, `${attempts} attempts in 6 s`)
  assert.deepEqual([deadStats?.pending, deadStats?.dead], [20, 0])
  // The destination comes up: the next probe closes the breaker, and all arrive.
  const back = await startReceiver(context)
  sender.addDestination({ ...dead, url: back.url })
  for (let step = 0; step < 60; step++) {
    await quiet()
    clock.advance(1000)
  }
  await until(() => back.received.length === 20, 'all deliveries of the other one')
  assert.equal(sender.stats().dead, 0)
})

test('a slow destination does not delay the others, and has a bounded number of attempts under way', async (context) => {
  const slow = await startReceiver(context, () => new Promise(() => undefined))
  const good = await startReceiver(context)
  const sender = newSender(context, {
    destinations: [slow.destination('slow', { concurrency: 3 }), good.destination('good')]
  })
  for (let index = 0; index < 50; index++) await sender.send({ type: 'push', data: index })
  await until(() => good.received.length === 50, 'all deliveries of the good one')
  const { inFlight, pending } = sender.stats().destinations[0] ?? {}
  // It has never answered: one attempt finds out whether it is there.
  assert.deepEqual([inFlight, pending, slow.received.length], [1, 50, 1])
})

test('no more attempts are under way than the concurrency of the destination', async (context) => {
  const answers: (() => void)[] = []
  const receiver = await startReceiver(context, (_received, _response, index) =>
    index === 0 ? 200 : new Promise((resolve) => answers.push(() => resolve(200)))
  )
  const sender = newSender(context, { destinations: [receiver.destination('ci', { concurrency: 3 })] })
  for (let index = 0; index < 10; index++) await sender.send({ type: 'push', data: index })
  for (let done = 0; done < 9; done++) {
    await until(() => answers.length > 0, 'an attempt')
    assert.ok((sender.stats().destinations[0]?.inFlight ?? 0) <= 3)
    if (done === 0) await until(() => answers.length === 3, 'as many as may be')
    answers.shift()?.()
  }
  await until(() => sender.stats().pending === 0, 'all arrived')
})

test('webhooks of one key arrive in order, although one has to be tried again; others pass', async (context) => {
  const failures = new Set(['1'])
  const receiver = await startReceiver(context, ({ body }) => (failures.delete(JSON.parse(body).data) ? 500 : 200))
  const { sender, clock, quiet } = newFakeSender(context, { destinations: [receiver.destination('ci')] })
  const send = (data: string, orderingKey?: string) => sender.send({ type: 'push', data, orderingKey })
  for (const data of ['1', '2', '3']) await send(data, 'a/b')
  await send('other key', 'c')
  await send('no key')
  const order = () => receiver.received.map(({ body }) => JSON.parse(body).data as string)
  await until(() => receiver.received.length === 3, 'the others')
  await quiet()
  assert.deepEqual(order(), ['1', 'other key', 'no key'])
  clock.advance(2000)
  await until(() => receiver.received.length === 6, 'all of the key')
  assert.deepEqual(order().slice(3), ['1', '2', '3'])
})

test('a dead letter is told until its callback has returned, is kept, and can be sent again', async (context) => {
  let status = 410
  const receiver = await startReceiver(context, () => status)
  let told = 0
  const { sender, clock } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    onDeadLetter: () => {
      if (++told === 1) throw new Error('the database of the application is away')
    }
  })
  const [outcome] = await sender.deliver({ type: 'push', data: {}, id: 'one' })
  await until(() => told === 1, 'the callback')
  await new Promise((resolve) => setImmediate(resolve))
  clock.advance(29_999)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(told, 1)
  clock.advance(1001)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(told, 2)
  clock.advance(100_000)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(told, 2)
  const [letter] = sender.deadLetters({ destination: 'ci' })
  assert.deepEqual([outcome?.state, letter?.id, letter?.status], ['dead', 'one', 410])
  assert.match(String(letter?.error), /the receiver answered with the status 410/)
  status = 200
  assert.equal(sender.redeliver(letter?.letter ?? 0), true)
  await until(() => sender.stats().destinations[0]?.delivered === 1, 'the letter arrived')
  assert.deepEqual(
    receiver.received.map(({ id }) => id),
    ['one', 'one']
  )
  assert.deepEqual([sender.deadLetters(), sender.redeliver(99), sender.discard(99)], [[], false, false])
})

test('what a destination has no room for becomes a dead letter, and the others get it', async (context) => {
  const stuck = await startReceiver(context, () => new Promise(() => undefined))
  const good = await startReceiver(context)
  const letters: WebhookDeadLetter[] = []
  const { sender, clock } = newFakeSender(context, {
    destinations: [stuck.destination('stuck'), good.destination('good')],
    outbox: { maxPending: 2, maxDeadLetters: 1 },
    onDeadLetter: (letter) => void letters.push(letter)
  })
  const receipts = []
  for (let index = 0; index < 4; index++) {
    receipts.push(await sender.send({ type: 'push', data: index }))
    await until(() => good.received.length === index + 1, 'the good one')
  }
  assert.deepEqual(
    receipts.map(({ dead }) => dead),
    [[], [], ['stuck'], ['stuck']]
  )
  await until(() => letters.length === 2, 'the dead letters')
  assert.deepEqual(
    letters.map(({ error, attempts }) => `${error.reason} ${attempts}`),
    ['queue_full 0', 'queue_full 0']
  )
  assert.equal(sender.stats().dead, 2)
  clock.advance(1000)
  assert.equal(sender.stats().dead, 1)
})

test('a delivery that waits for too long is given up', async (context) => {
  const receiver = await startReceiver(context, () => 503)
  const { sender, clock, quiet } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    retry: { delaysMs: [60_000] },
    expiresAfterMs: 10_000
  })
  const whenDone = sender.deliver({ type: 'push', data: {} })
  await until(() => receiver.received.length === 1, 'the first attempt')
  await quiet()
  clock.advance(9999)
  assert.equal(sender.stats().pending, 1)
  clock.advance(1001)
  const [outcome] = await whenDone
  assert.ok(outcome?.state === 'dead' && outcome.error.is('webhook_expired'))
})

test('a callback that never returns does not keep a sender from closing', async (context) => {
  const receiver = await startReceiver(context, () => 400)
  let told = 0
  const { sender, clock } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    onDeadLetter: () => new Promise(() => void told++)
  })
  await sender.deliver({ type: 'push', data: 1 })
  await until(() => told === 1, 'the callback')
  const closing = sender.close({ drainMs: 0 })
  let isClosed = false
  closing.then(() => {
    isClosed = true
  })
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isClosed, false)
  clock.advance(1000)
  await closing
})

test('closing lets attempts end, and gives up what waits in memory', async (context) => {
  let finish = () => {}
  const receiver = await startReceiver(context, () => new Promise((resolve) => (finish = () => resolve(200))))
  const letters: string[] = []
  const { sender, clock } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    onDeadLetter: ({ error }) => void letters.push(error.reason)
  })
  await sender.send({ type: 'push', data: 1 })
  await sender.send({ type: 'push', data: 2 })
  await until(() => receiver.received.length === 1, 'the first attempt')
  const closing = sender.close({ drainMs: 200 })
  await assert.rejects(sender.send({ type: 'push', data: 3 }), { reason: 'client_closed' })
  finish()
  await until(() => receiver.received.length === 2, 'the second attempt, which never ends')
  clock.advance(200)
  await closing
  assert.deepEqual(letters, ['client_closed'])
})

async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a process goes on while a delivery that it waits for waits for its retry', async () => {
  const script = `
    import { generateWebhookSecret, WebhookSender } from ${JSON.stringify(new URL('../../src/webhooks.ts', import.meta.url).href)}
    const destinations = [{ id: 'ci', url: 'http://127.0.0.1:9', secrets: generateWebhookSecret() }]
    const guard = { allow: ['127.0.0.1'], http: true }
    const sender = new WebhookSender({ destinations, guard, retry: { delaysMs: [30] } })
    const [{ state, attempts }] = await sender.deliver({ type: 'push', data: 1 })
    console.log(state, attempts)`
  const { stdout } = await runNode('--input-type=module', '-e', script)
  assert.equal(stdout, 'dead 2\n')
})
