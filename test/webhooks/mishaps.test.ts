/** What applications and operators do to a sender while it works: none of it loses a webhook or ends the process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebhookSender } from '../../src/webhooks.ts'
import { until } from '../support/until.ts'
import { newFakeSender, newSender, secret, startReceiver } from './receivers.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('dead letters beyond the bound are kept until the application was told of them', async (context) => {
  const receiver = await startReceiver(context, () => 410)
  const told: string[] = []
  let isAway = true
  const { sender, clock, quiet } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    breaker: false,
    outbox: { maxDeadLetters: 1 },
    onDeadLetter: ({ id }) => {
      if (isAway) throw new Error('the database of the application is away')
      told.push(id)
    }
  })
  for (const id of ['a', 'b', 'c']) await sender.deliver({ type: 'push', data: {}, id })
  await quiet()
  clock.advance(5000)
  await turn()
  isAway = false
  for (let step = 0; step < 3; step++) {
    clock.advance(15_000)
    await turn()
  }
  assert.deepEqual(told.toSorted(), ['a', 'b', 'c'])
  clock.advance(1000)
  assert.equal(sender.stats().dead, 1)
})

test('a destination that gets another URL keeps its attempts under way, and is not judged by the old receiver', async (context) => {
  const answers: (() => void)[] = []
  const old = await startReceiver(context, ({ id }, response) => {
    if (id === 'failing') return 500
    answers.push(() => response.writeHead(204).end())
    return undefined
  })
  const moved = await startReceiver(context)
  const options = { retry: false, breaker: { failures: 1 } } as const
  const { sender, quiet } = newFakeSender(context, { destinations: [old.destination('ci')], ...options })
  const first = sender.deliver({ type: 'push', data: {}, id: 'first' })
  await until(() => answers.length === 1, 'the first attempt')
  sender.addDestination(moved.destination('ci'))
  const [second] = await sender.deliver({ type: 'push', data: {}, id: 'second' })
  for (const answer of answers) answer()
  const [outcome] = await first
  assert.deepEqual([outcome?.state, second?.state], ['delivered', 'delivered'])
  assert.deepEqual([old.received.length, moved.received.length], [1, 1])
  await quiet()
  sender.addDestination(old.destination('ci'))
  await sender.deliver({ type: 'push', data: {}, id: 'failing' })
  await quiet()
  assert.equal(sender.stats().destinations[0]?.breaker, 'open')
  sender.addDestination(moved.destination('ci'))
  const [third] = await sender.deliver({ type: 'push', data: {}, id: 'third' })
  assert.equal(third?.state, 'delivered')
})

test('a callback that fails later does not end the process', async (context) => {
  const receiver = await startReceiver(context)
  let calls = 0
  const sender = newSender(context, {
    destinations: [receiver.destination('ci')],
    // A rejection that nobody handles fails the test.
    onDelivered: async () => {
      calls++
      throw new Error('the database of the application is away')
    }
  })
  assert.equal((await sender.deliver({ type: 'push', data: {} }))[0]?.state, 'delivered')
  await turn()
  assert.equal(calls, 1)
})

test('a closed sender says so', async () => {
  const sender = new WebhookSender()
  await sender.close()
  const closed = { code: 'cancelled', reason: 'client_closed' }
  assert.throws(() => sender.deadLetters(), closed)
  assert.throws(() => sender.redeliver(1), closed)
  assert.throws(() => sender.discard(1), closed)
  assert.deepEqual([sender.stats().pending, sender.stats().dead], [0, 0])
})

test('two destinations of one id are refused, and messages show no secrets', () => {
  const destination = { id: 'a', url: 'https://example.org/', secrets: secret }
  const twice = { destinations: [destination, { ...destination, url: 'https://example.com/' }] }
  assert.throws(() => new WebhookSender(twice), /destinations\[1\]\.id: .*"a"/)
  const message = (options: unknown) => {
    try {
      new WebhookSender(options as never)
    } catch (error) {
      return String((error as Error).message)
    }
    return ''
  }
  for (const wrong of [{ destinations: destination }, { destinations: [[destination]] }, { guard: [secret] }]) {
    assert.match(message(wrong), /must be/)
    assert.doesNotMatch(message(wrong), /MfKQ9r8/)
  }
})
