/** Calls of several servers that meet between two statements of each other. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RequestKeys } from '../../../server-fixture/service/request-keys.ts'
import type { Database } from '../../../server-fixture/store/postgres/database/database.ts'
import { PipelinedDatabase } from '../../../server-fixture/store/postgres/database/pipelined-database.ts'
import { RepositoryMoves } from '../../../server-fixture/store/postgres/moves/repository-moves.ts'
import { NameKeys } from '../../../server-fixture/store/postgres/name-keys.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { Repositories } from '../../../server-fixture/store/postgres/repositories.ts'
import { KeyRemembered, type MoveRecords } from '../../../server-fixture/store/store.ts'
import { BlobwireError } from '../../../src/core/error.ts'
import { newDatabase } from '../../support/database.ts'
import { keyed, newCommit } from '../support.ts'

const url = await newDatabase()
const zero = '0'.repeat(40)
const commits = ['one', 'two'].map((message) => newCommit(message, 'sha1'))
const [a = '', b = ''] = commits.map((objects) => objects[1]?.oid)
const move = (expectedOid: string, newOid: string) => ({ name: 'refs/heads/main', expectedOid, newOid })
let count = 0

/** Two servers on one repository with two commits, and `main` at the first of them. */
async function startServers(context: TestContext) {
  const one = await PostgresStore.open({ urls: [url] })
  const other = await PostgresStore.open({ urls: [url] })
  const database = await PipelinedDatabase.open({ urls: [url] })
  context.after(() => Promise.all([one.close(), other.close(), database.close()]))
  const name = `races/r${++count}`
  await one.createRepository(name, 'sha1')
  assert.deepEqual(await one.updateRefs(name, [move(zero, a)], { objects: commits.flat() }), [])
  const ask = (text: string, ...values: unknown[]) => database.read({ name: '', text, values })
  return { one, other, database, name, ask }
}

/** A database one of whose methods does something else. */
function changed<Method extends 'whole' | 'transaction'>(
  database: Database,
  method: Method,
  by: Database[Method]
): Database {
  return new Proxy(database, {
    get: (of, property) => (property === method ? by : Reflect.get(of, property).bind(of))
  })
}

test('a move for which nobody waits any more when there is a connection is not made', async (context) => {
  const { one, database, name } = await startServers(context)
  const isHeld = Promise.withResolvers<void>()
  const connected = Promise.withResolvers<void>()
  const away = changed(database, 'whole', async (given) => {
    isHeld.resolve()
    await connected.promise
    return database.whole(given)
  })
  let isGone = false
  const throwIfAbandoned = () => {
    if (isGone) throw new Error('nobody waits')
  }
  const moves = new RepositoryMoves(away, 60)
  const found = await new Repositories(database).use(name, async (known) => known)
  const add = (ref: string, records: MoveRecords) => moves.add(found, [{ ...move(a, b), name: ref }], records)
  await one.updateRefs(name, [{ ...move(zero, a), name: 'refs/heads/side' }])
  const abandoned = assert.rejects(add('refs/heads/main', { throwIfAbandoned }), /nobody waits/)
  const wanted = add('refs/heads/side', {})
  await isHeld.promise
  isGone = true
  connected.resolve()
  await abandoned
  assert.deepEqual(await wanted, [])
  assert.deepEqual(await one.readRefs(name, ['refs/heads/main', 'refs/heads/side']), [a, b])
})

test('a call that may have been made is brought to its end, for whoever else is of its chain', async (context) => {
  const { one, database, name } = await startServers(context)
  let isGone = false
  const lost = changed(database, 'whole', async (given) => {
    const make = typeof given === 'function' ? given : () => given
    await database.whole(make())
    isGone = true
    return database.whole(make())
  })
  const throwIfAbandoned = () => {
    if (isGone) throw new Error('nobody waits')
  }
  const moves = new RepositoryMoves(lost, 60)
  const add = () =>
    new Repositories(database).use(name, (found) => moves.add(found, [move(a, b)], { throwIfAbandoned }))
  assert.deepEqual(await add(), [])
  assert.deepEqual(await one.readRefs(name, ['refs/heads/main']), [b])
})

test('what another server of the database lacks is not taken for stored', async (context) => {
  const { one, name, ask } = await startServers(context)
  const isThere = async () => (await one.hasObjects(name, [a]))[0] !== undefined
  assert.equal(await isThere(), true)
  await ask(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()'
  )
  await one.readRefs(name, ['refs/heads/main'])
  await ask('DELETE FROM objects WHERE repository = (SELECT id FROM names WHERE name = $1)', name)
  assert.equal(await isThere(), false)
})

test('refusals of two servers under one key are one', async (context) => {
  const { one, other, name } = await startServers(context)
  const both = Promise.withResolvers<void>()
  let refused = 0
  const effect = async () => {
    if (++refused === 2) both.resolve()
    await both.promise
    throw new BlobwireError({ reason: 'ref_mismatch', message: `refused ${refused}` })
  }
  const write = { key: 'key', digest: 'digest', requestId: 'r' }
  const run = (store: PostgresStore) => new RequestKeys(store).run(name, write, effect)
  await Promise.all([one, other].map((store) => assert.rejects(run(store), { reason: 'ref_mismatch' })))
})

test('several outcomes are remembered, or none of them', async (context) => {
  const { one, other, name } = await startServers(context)
  await one.remember(name, [keyed('key', 'first', [])])
  await assert.rejects(other.remember(name, [keyed('fresh', '', []), keyed('key', '', [])]), KeyRemembered)
  assert.equal(await one.recall(name, 'fresh'), undefined)
})

test('what was made for a repository of another format is not stored in the one that came after it', async (context) => {
  const { one, other, name, ask } = await startServers(context)
  assert.equal((await other.getRepository(name))?.objectFormat, 'sha1')
  await one.deleteRepository(name)
  await one.createRepository(name, 'sha256')
  const { info } = await other.startWrite(name, { refs: ['refs/heads/main'], keys: [] })
  assert.equal(info.objectFormat, 'sha256')
  await assert.rejects(other.updateRefs(name, [move(zero, a)], { objects: commits.flat() }), { reason: 'repository' })
  const stored = await ask('SELECT FROM objects o JOIN names n ON n.id = o.repository WHERE n.name = $1', name)
  assert.equal(stored.length, 0)
})

test('a ref that is only held in its place, and is elsewhere, is not found there after a lost answer', async (context) => {
  const { one, database, name } = await startServers(context)
  await one.updateRefs(name, [move(a, b)])
  const twice = changed(database, 'whole', async (given) => {
    const make = typeof given === 'function' ? given : () => given
    await database.whole(make())
    return database.whole(make())
  })
  const moves = new RepositoryMoves(twice, 60)
  const hold = new Repositories(database).use(name, (found) => moves.add(found, [move(a, a)], {}))
  await assert.rejects(hold, { code: 'unavailable', sent: 'maybe' })
})

test('a deletion that another server carries out meanwhile, on the next repository, has one answer', async (context) => {
  const { one, database, name } = await startServers(context)
  const request = (deleted: boolean) => keyed('key', `${deleted}`, [])
  /** A deletion that has written its intent, and goes on when it is told. */
  const begin = async () => {
    const hasIntent = Promise.withResolvers<void>()
    const { promise, resolve } = Promise.withResolvers<void>()
    const slow = changed(database, 'transaction', async (work) => {
      hasIntent.resolve()
      await promise
      return database.transaction(work)
    })
    const answer = new Repositories(slow).delete(name, request)
    await hasIntent.promise
    return { answer, resolve }
  }
  const late = await begin()
  await one.deleteRepository(name)
  await one.createRepository(name, 'sha1')
  const next = await begin()
  late.resolve()
  await assert.rejects(late.answer, KeyRemembered)
  next.resolve()
  assert.equal(await next.answer, true)
  assert.equal((await one.recall(name, 'key'))?.outcome, 'true')
})

test('a creation under the key of a deletion that was never carried out is made', async (context) => {
  const { one, other, database, name, ask } = await startServers(context)
  const [named] = await ask('SELECT id FROM names WHERE name = $1', name)
  const half = { name, id: String(named?.['id']) }
  await new NameKeys(database).remember(half, [keyed('key', 'true', [])], true)
  await one.deleteRepository(name)
  const create = () => other.createRepository(name, 'sha1', { request: () => keyed('key', 'made', []) })
  assert.equal((await create()).created, true)
  assert.equal((await one.recall(name, 'key'))?.outcome, 'made')
  assert.equal((await ask('SELECT FROM repositories WHERE name = $1', name)).length, 1)
})
