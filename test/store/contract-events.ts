import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventCursor, RefEvent } from '../../server-fixture/store/events.ts'
import type { Store } from '../../server-fixture/store/store.ts'
import { zeroOid } from '../../src/git/oid.ts'
import type { Subject } from './contract.ts'
import { keyed, newCommit } from './support.ts'

const main = 'refs/heads/main'
const side = 'refs/heads/side'

/** What an event tells, without its place and time. */
const told = (events: readonly RefEvent[]) =>
  events.map(({ requestId, moves }) => [
    requestId,
    ...moves.map(({ name, oldOid, newOid }) => `${name} ${oldOid.slice(0, 4)} ${newOid.slice(0, 4)}`)
  ])

/** The present place. */
export async function placeOf(store: Store, repository: string): Promise<EventCursor> {
  const { cursor, events, state } = await store.readEvents(repository, { limit: 10 })
  assert.deepEqual([events, state], [[], 'current'])
  return cursor
}

/** All events after a place, read in pages. */
export async function eventsAfter(store: Store, repository: string, after: EventCursor, limit = 2) {
  const events: RefEvent[] = []
  for (let cursor = after; ; ) {
    const page = await store.readEvents(repository, { after: cursor, limit })
    assert.ok(page.events.length <= limit)
    events.push(...page.events)
    if (page.events.length === 0) return { events, state: page.state, cursor: page.cursor }
    assert.ok(page.cursor.sequence > cursor.sequence)
    assert.equal(page.cursor.sequence, page.events.at(-1)?.sequence)
    cursor = page.cursor
  }
}

/** The contract of every store for events. */
export function testEvents(subject: () => Subject): void {
  /** A repository with three commits, and a move between them. */
  const prepare = async () => {
    const { store, format, newRepository } = subject()
    const name = await newRepository()
    const oids: string[] = []
    for (const message of ['one', 'two', 'three']) {
      const commit = newCommit(message, format)
      await store.putObjects(name, commit)
      oids.push(commit[1]?.oid ?? '')
    }
    const [a = '', b = '', c = ''] = oids
    const zero = zeroOid(format)
    const move = (ref: string, expectedOid: string, newOid: string) => ({ name: ref, expectedOid, newOid })
    const short = (ref: string, from: string, to: string) => `${ref} ${from.slice(0, 4)} ${to.slice(0, 4)}`
    return { store, name, zero, a, b, c, move, short }
  }

  test('each call has one event, in the order of the moves; a chain has one for each of its calls', async () => {
    const { store, name, zero, a, b, c, move, short } = await prepare()
    const start = await placeOf(store, name)
    await store.updateRefs(name, [move(main, zero, a), move(side, zero, a)], {
      events: [
        {
          requestId: 'both',
          moves: [
            { name: main, oldOid: zero, newOid: a },
            { name: side, oldOid: zero, newOid: a }
          ]
        }
      ]
    })
    const request = keyed('chain', 'done', [])
    await store.updateRefs(name, [move(main, a, c)], {
      requests: [request],
      events: [
        { requestId: 'first', moves: [{ name: main, oldOid: a, newOid: b }] },
        { requestId: 'second', moves: [{ name: main, oldOid: b, newOid: c }] }
      ]
    })
    await store.updateRefs(name, [move(side, a, zero), move(main, c, c)])
    const expected = [
      ['both', short(main, zero, a), short(side, zero, a)],
      ['first', short(main, a, b)],
      ['second', short(main, b, c)],
      [undefined, short(side, a, zero)]
    ]
    for (const limit of [1, 2, 100]) {
      const { events, state } = await eventsAfter(store, name, start, limit)
      assert.deepEqual([told(events), state], [expected, 'current'])
      assert.ok(events.every(({ timeMs }) => Math.abs(timeMs - Date.now()) < 60_000))
    }
    const { events } = await eventsAfter(store, name, start)
    const middle = { ...start, sequence: events[1]?.sequence ?? 0 }
    assert.deepEqual(told((await eventsAfter(store, name, middle)).events), expected.slice(2))
    assert.deepEqual((await eventsAfter(store, name, await placeOf(store, name))).events, [])
  })

  test('what moves nothing has no event: refusals, repetitions under a key, moves to where the ref is', async () => {
    const { store, name, zero, a, b, move } = await prepare()
    const requests = [keyed('key', 'moved', [move(main, zero, a)])]
    await store.updateRefs(name, [move(main, zero, a)], { requests })
    const place = await placeOf(store, name)
    assert.equal((await store.updateRefs(name, [move(main, zero, b)])).length, 1)
    await assert.rejects(store.updateRefs(name, [move(`${main}/below`, zero, b)]), { reason: 'ref_conflict' })
    await assert.rejects(store.updateRefs(name, [move(side, zero, b.replaceAll(/./g, 'f'))]), {
      reason: 'missing_object'
    })
    await store.remember(name, [keyed('refused', 'no', [])])
    await store.updateRefs(name, [move(main, a, a)])
    assert.deepEqual((await eventsAfter(store, name, place)).events, [])
  })

  test('those who wait are told of events and of the end, after which nothing follows', async () => {
    const { store, name, zero, a, move, short } = await prepare()
    const place = await placeOf(store, name)
    const hints: string[] = []
    const off = store.onEvents((repository) => hints.push(repository))
    await store.updateRefs(name, [move(main, zero, a)])
    assert.deepEqual(hints, [name])
    await store.deleteRepository(name)
    assert.deepEqual(hints, [name, name])
    off()
    // The events of a repository outlive it.
    const gone = await eventsAfter(store, name, place)
    assert.deepEqual([told(gone.events), gone.state], [[[undefined, short(main, zero, a)]], 'ended'])
    await assert.rejects(store.readEvents(name, { limit: 1 }), { code: 'not_found', reason: 'repository' })
    const unknown = { incarnation: 'another', sequence: place.sequence }
    await assert.rejects(store.readEvents(name, { after: unknown, limit: 1 }), { reason: 'repository' })
    await store.createRepository(name, subject().format)
    assert.equal((await eventsAfter(store, name, place)).state, 'ended')
    const successor = await placeOf(store, name)
    assert.notEqual(successor.incarnation, place.incarnation)
    assert.equal(hints.length, 2)
    await store.deleteRepository(name)
  })

  test('a place that this repository cannot have had is a gap', async () => {
    const { store, name, zero, a, move } = await prepare()
    const { store: same, newRepository } = subject()
    await store.updateRefs(name, [move(main, zero, a)])
    const place = await placeOf(store, name)
    const other = await newRepository()
    for (const after of [
      { ...place, incarnation: 'unknown' },
      { ...place, sequence: place.sequence + 1_000_000 }
    ]) {
      assert.deepEqual(await same.readEvents(name, { after, limit: 9 }), { events: [], cursor: place, state: 'gap' })
    }
    // The events of a repository are told to those who may read that one alone.
    const here = await same.readEvents(other, { after: { ...place, sequence: 0 }, limit: 9 })
    assert.deepEqual([here.events, here.state], [[], 'gap'])
  })

  test('a page of refs has the place of which it is true', async () => {
    const { store, name, zero, a, b, move, short } = await prepare()
    await store.updateRefs(name, [move(main, zero, a)])
    const { refs, cursor } = await store.refsAt(name, { prefix: '', after: '', limit: 10 })
    assert.deepEqual(refs, [{ name: main, oid: a }])
    await store.updateRefs(name, [move(main, a, b)])
    assert.deepEqual(told((await eventsAfter(store, name, cursor)).events), [[undefined, short(main, a, b)]])
  })
}
