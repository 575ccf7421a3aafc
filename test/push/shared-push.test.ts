/** Push events of several servers on one database: one sends, another one goes on, and none is lost. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import pg from 'pg'
import { SharedPush } from '../../server-fixture/push/shared-push.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import type { PushLedger } from '../../server-fixture/store/push-ledger.ts'
import { isPushEvent, verifyWebhook } from '../../src/webhooks.ts'
import { newObject } from '../store/support.ts'
import { newDatabase } from '../support/database.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { until } from '../support/until.ts'
import { untilAsync } from '../support/until-async.ts'
import { localGuard, secret, startReceiver } from '../webhooks/receivers.ts'

const url = await newDatabase()
const store = await PostgresStore.open({ urls: [url] })
const client = new pg.Client(url)
// The engine may have ended before it.
client.on('error', () => undefined)
await client.connect()
after(async () => {
  await client.end()
  await store.close()
})
const zero = '0'.repeat(40)
const blobs = Array.from({ length: 20 }, (_, count) => newObject('blob', `${count}`, 'sha1'))
let count = 0

/** A repository whose tag moves, and who is told. `oids` = of the events, in the order in which they came. */
async function setUp(context: TestContext) {
  const repository = `push/${++count}`
  await store.createRepository(repository, 'sha1')
  await store.putObjects(repository, blobs)
  const told = { oids: [] as string[], status: 204, requests: 0 }
  const receiver = await startReceiver(context, ({ headers, body }) => {
    told.requests++
    const event = verifyWebhook(secret, headers, body).json()
    assert.ok(isPushEvent(event))
    if (told.status < 300) told.oids.push(...event.data.moves.map(({ newOid }) => newOid))
    return told.status
  })
  const ci = { id: 'ci', url: receiver.url, secrets: secret, repositories: [repository], refs: ['refs/'] }
  const options = { destinations: [ci], outbox: undefined, guard: localGuard, retry: { delaysMs: [50, 60_000] } }
  const start = async (ledger: PushLedger = store.pushLedger) => {
    const clock = new FakeClock()
    const logged: Readonly<Record<string, unknown>>[] = []
    const log = (event: Readonly<Record<string, unknown>>) => void logged.push(event)
    const push = await SharedPush.start(options, { store, ledger, log, clock, drainMs: 0 })
    context.after(() => push.close())
    return { push, clock, logged }
  }
  let at = 0
  const move = async () => {
    const [oldOid, newOid] = [at === 0 ? zero : (blobs[at - 1]?.oid ?? ''), blobs[at]?.oid ?? '']
    at++
    const moves = [{ name: 'refs/tags/t', oldOid, newOid }]
    await store.updateRefs(repository, [{ name: 'refs/tags/t', expectedOid: oldOid, newOid }], { events: [{ moves }] })
  }
  const kept = async () => {
    const { rows } = await client.query('SELECT sequence FROM push_cursors WHERE repository = $1', [repository])
    return rows[0] && Number(rows[0].sequence)
  }
  const present = async () => {
    const { rows } = await client.query('SELECT last_event FROM repositories WHERE name = $1', [repository])
    return Number(rows[0].last_event)
  }
  return { repository, told, start, move, kept, present }
}

const oidsUpTo = (end: number) => blobs.slice(0, end).map(({ oid }) => oid)

/** As a server that is killed: it keeps and releases nothing any more. */
function mortal(): { ledger: PushLedger; kill(): void } {
  let isDead = false
  const alive = <T>(work: () => Promise<T>) => (isDead ? Promise.reject(new Error('killed')) : work())
  const { pushLedger } = store
  const ledger: PushLedger = {
    takeLease: (holder, seconds) => alive(() => pushLedger.takeLease(holder, seconds)),
    releaseLease: (holder) => alive(() => pushLedger.releaseLease(holder)),
    places: () => alive(() => pushLedger.places()),
    keep: (...args) => alive(() => pushLedger.keep(...args)),
    begin: (holder) => alive(() => pushLedger.begin(holder)),
    present: () => alive(() => pushLedger.present())
  }
  return {
    ledger,
    kill() {
      isDead = true
    }
  }
}

const endLease = () => client.query(`UPDATE push_lease SET expires_at = now() - interval '1 second'`)

test('one server sends; when it closes, another one goes on, and nothing comes twice', async (context) => {
  const { told, start, move, kept, present } = await setUp(context)
  const [first, second] = [await start(), await start()]
  assert.deepEqual([first.push.isSending, second.push.isSending], [true, false])
  await untilAsync(async () => (await kept()) !== undefined, 'the place of the beginning')
  for (let times = 0; times < 3; times++) await move()
  await until(() => told.oids.length === 3, 'the events of the first server')
  await untilAsync(async () => (await kept()) === (await present()), 'the place behind them')
  await first.push.close()
  await move()
  second.clock.advance(3000)
  await until(() => told.oids.length === 4, 'the event of the second server')
  assert.deepEqual(told.oids, oidsUpTo(4))
  assert.equal(told.requests, 4)
})

test('what a killed server had in its outbox is sent by another one, in order', async (context) => {
  const { told, start, move, kept } = await setUp(context)
  const { ledger, kill } = mortal()
  const first = await start(ledger)
  await untilAsync(async () => (await kept()) !== undefined, 'the place of the beginning')
  const before = await kept()
  await move()
  await until(() => told.oids.length === 1, 'the first event')
  await untilAsync(async () => (await kept()) !== before, 'the place behind it')
  const place = await kept()
  told.status = 503
  for (let times = 0; times < 4; times++) await move()
  await until(() => first.push.figures()['ci']?.waiting === 4, 'all are in the outbox')
  await until(() => told.requests > 1, 'an attempt')
  assert.equal(await kept(), place, 'no place behind what was not delivered')
  kill()
  await first.push.close()
  const second = await start()
  assert.equal(second.push.isSending, false, 'the lease of the killed server lasts')
  told.status = 204
  await move()
  await endLease()
  second.clock.advance(3000)
  await until(() => told.oids.length >= 6, 'all events')
  assert.deepEqual(told.oids, oidsUpTo(6))
  await untilAsync(async () => (await kept()) !== place, 'the place behind all')
})

test('what a server had not delivered when it closed is no dead letter, and is sent by another one', async (context) => {
  const { told, start, move, kept } = await setUp(context)
  const first = await start()
  await untilAsync(async () => (await kept()) !== undefined, 'the place of the beginning')
  told.status = 503
  for (let times = 0; times < 3; times++) await move()
  await until(() => first.push.figures()['ci']?.waiting === 3, 'all are in the outbox')
  await first.push.close()
  assert.deepEqual(
    first.logged.map(({ event }) => event).filter((event) => event === 'push_dead_letter'),
    []
  )
  told.status = 204
  const second = await start()
  await until(() => told.oids.length === 3, 'all events')
  assert.deepEqual(told.oids, oidsUpTo(3))
  assert.equal(second.push.isSending, true)
})

test('a server whose lease another one has sends no more, and keeps no place', async (context) => {
  const { repository, told, start, move, kept } = await setUp(context)
  const { ledger, kill } = mortal()
  const paused = await start(ledger)
  await untilAsync(async () => (await kept()) !== undefined, 'the place of the beginning')
  await endLease()
  const next = await start()
  assert.equal(next.push.isSending, true)
  const stale = { incarnation: 'of an earlier one', sequence: 7 }
  assert.equal(await store.pushLedger.keep(randomUUID(), repository, stale), false)
  paused.clock.advance(3000)
  await until(() => !paused.push.isSending, 'the end of the first')
  await move()
  await until(() => told.oids.length === 1, 'the event')
  // Where the database does not answer, a lease ends by the clock of its holder.
  kill()
  const cut = mortal()
  await next.push.close()
  const last = await start(cut.ledger)
  assert.equal(last.push.isSending, true)
  cut.kill()
  last.clock.advance(8999)
  assert.equal(last.push.isSending, true)
  last.clock.advance(1)
  assert.equal(last.push.isSending, false)
  await endLease()
})

test('the end of a repository is told, and its place is forgotten; one of its name begins anew', async (context) => {
  const { repository, told, start, move, kept } = await setUp(context)
  const { push } = await start()
  await move()
  await until(() => told.oids.length === 1, 'the event')
  // Another server does it: the one that sends has no hint.
  const other = await PostgresStore.open({ urls: [url] })
  await other.deleteRepository(repository)
  await other.close()
  await untilAsync(async () => (await kept()) === undefined, 'the place is forgotten')
  await store.createRepository(repository, 'sha1')
  await store.putObjects(repository, blobs)
  const moves = [{ name: 'refs/tags/n', oldOid: zero, newOid: blobs[9]?.oid ?? '' }]
  const move9 = { name: 'refs/tags/n', expectedOid: zero, newOid: blobs[9]?.oid ?? '' }
  await store.updateRefs(repository, [move9], { events: [{ moves }] })
  await until(() => told.oids.at(-1) === blobs[9]?.oid, 'the event of the new one')
  await push.close()
})

test('nothing is sent before the places of the beginning are kept, however long that takes', async (context) => {
  const { told, start, move, kept } = await setUp(context)
  await move()
  await client.query('DELETE FROM push_cursors')
  const { pushLedger } = store
  const begins: PromiseWithResolvers<void>[] = []
  let leases = 0
  const slow: PushLedger = {
    takeLease: async (holder, seconds) => {
      const isTaken = await pushLedger.takeLease(holder, seconds)
      leases++
      return isTaken
    },
    releaseLease: (holder) => pushLedger.releaseLease(holder),
    places: () => pushLedger.places(),
    keep: (...args) => pushLedger.keep(...args),
    begin: async (holder) => {
      const begin = Promise.withResolvers<void>()
      begins.push(begin)
      await begin.promise
      return pushLedger.begin(holder)
    },
    present: () => pushLedger.present()
  }
  const starting = start(slow)
  await until(() => begins.length === 1, 'the first begin')
  begins[0]?.reject(new Error('the database is away'))
  const { push, clock, logged } = await starting
  assert.equal(push.isSending, false)
  assert.equal(await kept(), undefined)
  clock.advance(3000)
  await until(() => begins.length === 2, 'the second begin')
  for (const times of [3, 4, 5]) {
    clock.advance(3000)
    await until(() => leases === times, 'the lease is renewed meanwhile')
    await setImmediate()
  }
  // Another server has the lease for a moment: the term has ended, and the sender that starts is of no use.
  const { rows } = await client.query('SELECT holder FROM push_lease')
  const give = (holder: string) => client.query('UPDATE push_lease SET holder = $1', [holder])
  await give(randomUUID())
  clock.advance(3000)
  await until(() => leases === 6, 'the lease is refused')
  await setImmediate()
  await give(rows[0].holder)
  begins[1]?.resolve()
  await untilAsync(async () => (await pushLedger.places()) !== undefined, 'the places')
  await untilAsync(async () => {
    clock.advance(3000)
    return push.isSending
  }, 'the sender of the next term')
  assert.deepEqual(
    logged.map(({ event, state }) => state ?? event),
    ['push_failed', 'began']
  )
  await move()
  await until(() => told.oids.length === 1, 'the event after the beginning')
  assert.deepEqual(told.oids, oidsUpTo(2).slice(1))
  await push.close()
  // A server that loses its lease before it has its places does not send.
  await client.query('DELETE FROM push_cursors')
  const late = start(slow)
  await until(() => begins.length === 3, 'the third begin')
  await give(randomUUID())
  begins[2]?.resolve()
  const { push: lost } = await late
  assert.equal(lost.isSending, false)
  assert.equal(await pushLedger.places(), undefined)
  await client.query('DELETE FROM push_lease')
})
