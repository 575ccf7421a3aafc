/** A sender: what arrives, what is tried again and when, and what is given up. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import {
  type PushEvent,
  pushEvent,
  type WebhookDeadLetter,
  type WebhookDelivered,
  WebhookSender
} from '../../src/webhooks.ts'
import { until } from '../support/until.ts'
import { newFakeSender, newSender, secret, startReceiver, verified } from './receivers.ts'

const moves = [{ name: 'refs/heads/main', oldOid: '0'.repeat(40), newOid: '1'.repeat(40) }]

test('a push event arrives, signed so that the package standardwebhooks verifies it', async (context) => {
  const receiver = await startReceiver(context)
  const delivered: WebhookDelivered[] = []
  const sender = newSender(context, {
    destinations: [receiver.destination('ci', { headers: { Authorization: 'Bearer x', 'x-own': 'y' } })],
    onDelivered: (one) => delivered.push(one)
  })
  const event: PushEvent = pushEvent({ repository: 'a/b', sequence: 7, moves }, Date.now())
  const [outcome] = await sender.deliver({ ...event, id: 'push_7' })
  const [request] = receiver.received
  assert.ok(request)
  assert.deepEqual(new Webhook(secret).verify(request.body, request.headers as Record<string, string>), event)
  const { headers, path } = request
  assert.deepEqual(
    [headers['webhook-id'], headers['webhook-type'], headers['content-type'], headers['user-agent'], path],
    ['push_7', 'push', 'application/json', 'blobwire-webhooks', '/hooks?of=test']
  )
  assert.deepEqual([headers.authorization, headers['x-own']], ['Bearer x', 'y'])
  const { afterMs: _, ...facts } = outcome as WebhookDelivered
  assert.deepEqual(facts, {
    ...{ state: 'delivered', id: 'push_7', type: 'push', destination: 'ci', attempts: 1, status: 204 }
  })
  assert.deepEqual(delivered, [outcome])
  const { pending, dead, destinations } = sender.stats()
  assert.deepEqual([pending, dead, destinations[0]?.delivered, destinations[0]?.attempts], [0, 0, 1, 1])
})

test('each destination gets the types that it takes, and a body of any kind', async (context) => {
  const receiver = await startReceiver(context)
  const sender = newSender(context, {
    destinations: [receiver.destination('all'), receiver.destination('pushes', { types: ['push'] })]
  })
  const ends = async (message: Parameters<WebhookSender['deliver']>[0]) =>
    (await sender.deliver(message)).map(({ destination }) => destination)
  assert.deepEqual(await ends({ type: 'push', data: {} }), ['all', 'pushes'])
  assert.deepEqual(await ends({ type: 'invoice.paid', body: 'ü', contentType: 'text/plain' }), ['all'])
  assert.deepEqual(await ends({ type: 'push', data: {}, destinations: ['pushes'] }), ['pushes'])
  assert.deepEqual(receiver.received[2]?.body, 'ü')
  sender.removeDestination('all')
  assert.deepEqual(await ends({ type: 'invoice.paid', data: {} }), [])
})

test('failures of the receiver are tried again after 2, 4 and 8 s with the same id, and then given up', async (context) => {
  const receiver = await startReceiver(context, () => 500)
  const letters: WebhookDeadLetter[] = []
  const { sender, clock, quiet } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    breaker: false,
    onDeadLetter: (letter) => void letters.push(letter)
  })
  const { id } = await sender.send({ type: 'push', data: { n: 1 } })
  const { received } = receiver
  await until(() => received.length === 1, 'the first attempt')
  for (const [index, delayMs] of [2000, 4000, 8000].entries()) {
    await quiet()
    clock.advance(delayMs - 1)
    // Counted when an attempt begins, long before it arrives.
    assert.equal(sender.stats().destinations[0]?.attempts, index + 1)
    clock.advance(1)
    await until(() => received.length === index + 2, `attempt ${index + 2}`)
  }
  await until(() => letters.length === 1, 'the dead letter')
  const [letter] = letters
  assert.deepEqual(
    [letter?.id, letter?.attempts, letter?.status, letter?.error.code, letter?.error.reason],
    [id, 4, 500, 'unavailable', 'receiver_failed']
  )
  assert.equal(new Set(received.map((one) => one.id)).size, 1)
  // Each attempt is signed anew, with its own time.
  assert.equal(new Set(received.map(({ headers }) => headers['webhook-timestamp'])).size, 4)
  verified(received[3] as (typeof received)[0], clock.wallTimeMs())
  clock.advance(100_000)
  const { pending, destinations } = sender.stats()
  assert.deepEqual([destinations[0]?.attempts, letters.length, pending], [4, 1, 0])
})

test('answers of 408, 429 and 5xx are tried again, all others are final', async (context) => {
  const again = [408, 429, 500, 502, 503, 504]
  const final = [301, 302, 307, 400, 401, 403, 404, 409, 410, 413, 422]
  const receiver = await startReceiver(context, ({ path }, _response, index) => {
    const status = Number(path.slice(1))
    return again.includes(status) && index >= again.length + final.length ? 200 : status
  })
  const all = [...again, ...final]
  const { sender, clock } = newFakeSender(context, {
    destinations: all.map((status) =>
      receiver.destination(`s${status}`, { url: `http://127.0.0.1:${receiver.port}/${status}` })
    )
  })
  const whenDone = sender.deliver({ type: 'push', data: {} })
  await until(() => sender.stats().dead === final.length, 'the final answers')
  await until(() => receiver.received.length === all.length, 'the first attempts')
  await until(() => sender.stats().destinations.every(({ inFlight }) => inFlight === 0), 'no attempt is under way')
  clock.advance(2000)
  const outcomes = await whenDone
  assert.deepEqual(
    outcomes.map(({ state, attempts }) => `${state} ${attempts}`),
    [...again.map(() => 'delivered 2'), ...final.map(() => 'dead 1')]
  )
  const reasons = outcomes
    .map((one) => (one.state === 'dead' ? one.error.reason : ''))
    .filter((reason) => reason !== '')
  assert.deepEqual(
    reasons,
    final.map((status) => (status < 400 ? 'redirect_refused' : 'receiver_refused'))
  )
})

test('the time of Retry-After is kept: for the delivery, and with 429 for all of the destination', async (context) => {
  const receiver = await startReceiver(context, (_received, response, index) => {
    if (index > 0) return 200
    response.writeHead(429, { 'retry-after': '30' }).end()
    return undefined
  })
  const { sender, clock, quiet } = newFakeSender(context, { destinations: [receiver.destination('ci')] })
  await sender.send({ type: 'push', data: 1 })
  await until(() => receiver.received.length === 1, 'the first attempt')
  await quiet()
  await sender.send({ type: 'push', data: 2 })
  clock.advance(29_999)
  assert.equal(sender.stats().destinations[0]?.attempts, 1)
  clock.advance(1)
  await until(() => receiver.received.length === 3, 'the attempts after the time')
})

test('the time of Retry-After is the earliest for an answer of 5xx, too, and is bounded', async (context) => {
  const receiver = await startReceiver(context, (_received, response, index) => {
    if (index > 1) return 200
    response.writeHead(500, { 'retry-after': index === 0 ? '30' : '1000000' }).end()
    return undefined
  })
  const { sender, clock, quiet } = newFakeSender(context, {
    destinations: [receiver.destination('ci')],
    retry: { maxRetryAfterMs: 60_000 }
  })
  await sender.send({ type: 'push', data: 1 })
  for (const [index, delayMs] of [30_000, 60_000].entries()) {
    await until(() => receiver.received.length === index + 1, `attempt ${index + 1}`)
    await quiet()
    clock.advance(delayMs - 1)
    assert.equal(sender.stats().destinations[0]?.attempts, index + 1)
    clock.advance(1)
  }
  await until(() => receiver.received.length === 3, 'the last attempt')
})

test('a receiver that does not answer in time is tried again', async (context) => {
  const receiver = await startReceiver(context, (_received, _response, index) => (index === 0 ? undefined : 200))
  const { sender, clock, quiet } = newFakeSender(context, {
    destinations: [receiver.destination('ci', { timeoutMs: 500 })]
  })
  const whenDone = sender.deliver({ type: 'push', data: {} })
  await until(() => receiver.received.length === 1, 'the first attempt')
  clock.advance(500)
  await quiet()
  clock.advance(2000)
  assert.equal((await whenDone)[0]?.attempts, 2)
})

test('an endless answer holds no delivery: its status counts', async (context) => {
  const receiver = await startReceiver(context, (_received, response) => {
    const write = () => response.destroyed || response.write('x'.repeat(100_000), () => setImmediate(write))
    response.writeHead(200)
    write()
    return undefined
  })
  const sender = newSender(context, { destinations: [receiver.destination('ci')] })
  assert.equal((await sender.deliver({ type: 'push', data: {} }))[0]?.state, 'delivered')
  await until(() => sender.stats().destinations[0]?.inFlight === 0, 'the connection is given up')
})

test('wrong options, destinations and messages are refused, with their names', async (context) => {
  const destination = { id: 'a', url: 'https://example.org/', secrets: secret }
  const refused = (options: object, expected: RegExp) => assert.throws(() => new WebhookSender(options), expected)
  refused({ timeout: 5 }, /timeout: unknown option; did you mean timeoutMs\?/)
  refused({ timeoutMs: 0, redirects: 9, onDeadLetter: 5 }, /timeoutMs: .*\nredirects: .*\nonDeadLetter: /s)
  refused({ retry: { delaysMs: [-1] } }, /retry\.delaysMs: must be a list/)
  refused({ outbox: { maxPending: 0 } }, /outbox\.maxPending: must be an integer of 1 or more/)
  refused({ destinations: [{ ...destination, id: '' }] }, /destinations\[0\]\.id: must be/)
  refused({ destinations: [{ ...destination, secrets: [] }] }, /destinations\[0\]\.secrets: must be/)
  refused({ destinations: [{ ...destination, secrets: 'hidden' }] }, /destinations\[0\]\.secrets\[0\]: must be whsec_/)
  refused(
    { destinations: [{ ...destination, url: 'http://example.org/' }] },
    /destinations\[0\]\.url: http:\/\/ is not/
  )
  refused({ destinations: [{ ...destination, headers: { 'webhook-id': 'x' } }] }, /webhook-id: is reserved/)
  refused({ destinations: [{ ...destination, headers: { host: 'x' } }] }, /host: is reserved/)
  refused({ connection: { proxy: 'http://proxy:3128' } }, /guard\.proxyGuards: must be true/)
  const sender = newSender(context, { outbox: { maxBodyBytes: 100 } })
  const message = (fields: object) => sender.send({ type: 'push', data: 1, ...fields } as never)
  for (const [fields, expected] of [
    [{ type: 'a b' }, /message\.type: /],
    [{ id: 'a.b' }, /message\.id: /],
    [{ body: 'x' }, /message: must have either data or body/],
    [{ data: 5n }, /message\.data: must be what JSON can say/],
    [{ data: () => 1 }, /message\.data: must be what JSON can say, not a function/],
    [{ data: undefined, body: {} }, /message\.body: must be text or bytes/],
    [{ data: undefined, body: 'x'.repeat(101) }, /outbox\.maxBodyBytes/],
    [{ destinations: ['b'] }, /message\.destinations\[0\]: there is no destination "b"/],
    [{ orderingkey: 'x' }, /did you mean orderingKey/]
  ] as const) {
    await assert.rejects(message(fields), expected)
  }
})
