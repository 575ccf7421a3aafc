/** Moves of refs by several servers on one database: they collide, come twice, and overlap. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import pg from 'pg'
import type { Database } from '../../../server-fixture/store/postgres/database/database.ts'
import { PipelinedDatabase } from '../../../server-fixture/store/postgres/database/pipelined-database.ts'
import { Events } from '../../../server-fixture/store/postgres/events.ts'
import { RepositoryMoves } from '../../../server-fixture/store/postgres/moves/repository-moves.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { Repositories } from '../../../server-fixture/store/postgres/repositories.ts'
import { KeyRemembered, type MoveRecords, type RefMove } from '../../../server-fixture/store/store.ts'
import { newDatabase } from '../../support/database.ts'
import { keyed, newCommit, newObject } from '../support.ts'

const url = await newDatabase()
const zero = '0'.repeat(40)
const main = 'refs/heads/main'
const commits = ['one', 'two', 'three'].map((message) => newCommit(message, 'sha1'))
const [a = '', b = '', c = ''] = commits.map((objects) => objects[1]?.oid)
const rename = (name: string, expectedOid: string, newOid: string): RefMove => ({ name, expectedOid, newOid })
const move = (expectedOid: string, newOid: string) => rename(main, expectedOid, newOid)
let count = 0

/** Servers on one repository with three commits, and `main` at the first of them. */
async function startServers(context: TestContext, servers = 2) {
  const stores = await Promise.all(Array.from({ length: servers }, () => PostgresStore.open({ urls: [url] })))
  context.after(() => Promise.all(stores.map((store) => store.close())))
  const [one, other] = stores as [PostgresStore, PostgresStore]
  const name = `moves/r${++count}`
  await one.createRepository(name, 'sha1')
  assert.deepEqual(await one.updateRefs(name, [move(zero, a)], { objects: commits.flat() }), [])
  const { cursor } = await one.readEvents(name, { limit: 0 })
  const eventsOf = async (store: PostgresStore) =>
    (await store.readEvents(name, { after: cursor, limit: 1000 })).events.map(({ moves }) => moves)
  return { stores, one, other, name, eventsOf }
}

test('a key that another server remembers stops a move of any kind, and a refusal', async (context) => {
  const { one, other, name, eventsOf } = await startServers(context)
  const requests = [keyed('key', 'moved', [])]
  assert.deepEqual(await one.updateRefs(name, [move(a, b)], { requests }), [])
  await assert.rejects(other.updateRefs(name, [move(b, c)], { requests }), KeyRemembered)
  await assert.rejects(other.updateRefs(name, [rename('refs/heads/new', zero, c)], { requests }), KeyRemembered)
  await assert.rejects(other.remember(name, [keyed('fresh', 'no', []), keyed('key', 'no', [])]), KeyRemembered)
  assert.deepEqual(await other.recall(name, 'key'), { digest: 'digest of key', outcome: 'moved' })
  assert.deepEqual(await other.readRefs(name, [main, 'refs/heads/new']), [b, undefined])
  assert.equal((await eventsOf(other)).length, 1)
})

test('a plain move that is refused leaves neither event nor key, but its objects', async (context) => {
  const { one, name, eventsOf } = await startServers(context)
  const blob = newObject('blob', 'no commit', 'sha1')
  const absent = newObject('blob', 'absent', 'sha1').oid
  const requests = [keyed('key', 'moved', [])]
  const mismatches = [{ name: main, expectedOid: b, foundOid: a }]
  assert.deepEqual(await one.updateRefs(name, [move(b, c)], { requests, objects: [blob] }), mismatches)
  await assert.rejects(one.updateRefs(name, [move(a, blob.oid)], { requests }), { reason: 'wrong_kind' })
  await assert.rejects(one.updateRefs(name, [move(a, absent)], { requests }), { reason: 'missing_object' })
  assert.deepEqual([await one.recall(name, 'key'), await eventsOf(one)], [undefined, []])
  assert.equal((await one.hasObjects(name, [blob.oid]))[0]?.size, 9)
  const gone = () => {
    throw new Error('nobody waits')
  }
  await assert.rejects(one.updateRefs(name, [move(a, b)], { throwIfAbandoned: gone }), /nobody waits/)
  assert.deepEqual(await one.readRefs(name, [main]), [a])
})

test('a ref is not made above or below another one', async (context) => {
  const { one, other, name } = await startServers(context)
  assert.deepEqual(await one.updateRefs(name, [rename('refs/tags/x/y', zero, a)]), [])
  for (const tag of ['refs/tags/x', 'refs/tags/x/y/z']) {
    await assert.rejects(other.updateRefs(name, [rename(tag, zero, b)]), { reason: 'ref_conflict' })
  }
  assert.deepEqual(await other.updateRefs(name, [rename('refs/tags/x-y', zero, b)]), [])
})

test('a repository that another server deletes, and makes again, is the new one', async (context) => {
  const { one, other, name } = await startServers(context)
  assert.deepEqual(await other.updateRefs(name, [move(a, b)]), [])
  await one.deleteRepository(name)
  await assert.rejects(other.updateRefs(name, [move(b, c)]), { code: 'not_found', reason: 'repository' })
  await assert.rejects(other.readRefs(name, [main]), { code: 'not_found', reason: 'repository' })
  await one.createRepository(name, 'sha1')
  await assert.rejects(other.updateRefs(name, [move(zero, b)]), { reason: 'missing_object' })
  assert.deepEqual(await other.updateRefs(name, [move(zero, b)], { objects: commits.flat() }), [])
  assert.deepEqual(await one.readRefs(name, [main]), [b])
})

/** A database that carries out the next whole transaction, or the one before it, twice, as if the first answer was lost. */
function twice(database: PipelinedDatabase, between: () => Promise<unknown>): Database {
  return new Proxy(database, {
    get(of, property) {
      if (property !== 'whole') return Reflect.get(of, property).bind(of)
      return async (make: Parameters<Database['whole']>[0]) => {
        let tries = 0
        const answers: Awaited<ReturnType<Database['whole']>>[] = []
        for (; tries < 2; tries++) {
          answers.push(await of.whole(typeof make === 'function' ? make() : make))
          if (tries === 0) await between()
        }
        return answers[1] ?? []
      }
    }
  })
}

test('a move whose answer is lost has one event: it is known again, by its key or by itself, or in doubt', async (context) => {
  const { one, name, eventsOf } = await startServers(context)
  const database = await PipelinedDatabase.open({ urls: [url] })
  context.after(() => database.close())
  const repositories = new Repositories(database)
  const send = async (given: RefMove, records: MoveRecords, between = async (): Promise<unknown> => undefined) => {
    const moves = new RepositoryMoves(twice(database, between), 60)
    return repositories.use(name, (found) => moves.add(found, [given], records))
  }
  assert.deepEqual(await send(move(a, b), {}), [])
  await assert.rejects(send(move(b, c), { requests: [keyed('key', 'moved', [])] }), KeyRemembered)
  // Another server moves the ref on before the second try.
  const onwards = () => one.updateRefs(name, [move(a, b)])
  await assert.rejects(send(move(c, a), {}, onwards), { code: 'unavailable', sent: 'maybe' })
  assert.deepEqual(
    (await eventsOf(one)).flat().map(({ newOid }) => newOid),
    [b, c, a, b]
  )
})

test('events that were swept are a gap, and the place before the oldest comes after them', async (context) => {
  const { one, other, name } = await startServers(context)
  const database = await PipelinedDatabase.open({ urls: [url] })
  context.after(() => database.close())
  const events = new Events(database, new Repositories(database))
  const places = [await one.oldestEvents(name)]
  for (const [from, to] of [a, b, c, a, b].entries()) {
    const next = [b, c, a, b, c][from] as string
    await one.updateRefs(name, [move(to, next)])
    places.push((await one.readEvents(name, { limit: 0 })).cursor)
  }
  const [start, first, second, third] = places as [
    (typeof places)[0],
    (typeof places)[0],
    (typeof places)[0],
    (typeof places)[0]
  ]
  const id = start?.incarnation as string
  assert.equal(await events.sweep(id, 3600), false)
  const client = new pg.Client(url)
  await client.connect()
  await client.query(
    `UPDATE events SET at = to_timestamp(1) WHERE repository = ${id} AND sequence <= ${second?.sequence}`
  )
  await client.end()
  assert.equal(await events.sweep(id, 3600), false)
  const stateAt = async (after: typeof start) => {
    const { state, events: found } = await other.readEvents(name, {
      after: after as NonNullable<typeof start>,
      limit: 9
    })
    return [state, found.length]
  }
  assert.deepEqual(await Promise.all([start, first, second, third].map(stateAt)), [
    ['gap', 0],
    ['gap', 0],
    ['current', 3],
    ['current', 2]
  ])
  assert.deepEqual(await one.oldestEvents(name), second)
})

test('overlapping moves of two servers: none is lost, none deadlocks, and each touches few rows', async (context) => {
  const { stores, one, name, eventsOf } = await startServers(context)
  const names = Array.from({ length: 400 }, (_, index) => `refs/heads/b${index}`)
  for (const from of [0, 200]) {
    await one.updateRefs(
      name,
      names.slice(from, from + 200).map((ref) => rename(ref, zero, a))
    )
  }
  const before = await countersOf()
  const moved = names.slice(0, 40)
  const rounds = [a, b, c, a, b, c]
  let won = 0
  for (const [round, from] of rounds.slice(0, -1).entries()) {
    const to = rounds[round + 1] as string
    // Both servers have all of them, each in another order: one wins each ref.
    const results = await Promise.all(
      stores.flatMap((store, index) => {
        const sorted = index === 0 ? moved : moved.toReversed()
        return sorted.map((ref) => store.updateRefs(name, [rename(ref, from, to)]))
      })
    )
    won += results.filter((mismatches) => mismatches.length === 0).length
    assert.deepEqual(new Set(await one.readRefs(name, moved)), new Set([to]))
  }
  assert.equal(won, moved.length * (rounds.length - 1))
  assert.equal((await eventsOf(one)).filter((moves) => moves.length === 1).length, won)
  await Promise.all(stores.map((store) => store.close()))
  const after = await countersOf()
  assert.equal(after.deadlocks, 0)
  assert.equal(after.seq, before.seq, 'a table of refs, keys or objects was read whole')
  // Twice: a call that loses is looked at again.
  const asked = 2 * moved.length * (rounds.length - 1)
  context.diagnostic(`${after.fetched - before.fetched} rows for ${asked} moves`)
  assert.ok(after.fetched - before.fetched < 30 * asked, `${after.fetched - before.fetched} rows for ${asked} moves`)
})

/** Rows that the database has read in these tables, and deadlocks. */
async function countersOf() {
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client.query(
    `SELECT sum(seq_tup_read)::int AS seq, sum(idx_tup_fetch)::int AS fetched,
       (SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()) AS deadlocks
     FROM pg_stat_user_tables WHERE relname IN ('refs', 'objects', 'request_keys')`
  )
  await client.end()
  return rows[0] as { seq: number; fetched: number; deadlocks: number }
}
