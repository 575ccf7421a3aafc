/** The rows of deleted repositories, and keys and events that are old, are removed; nothing else is. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import pg from 'pg'
import { PipelinedDatabase } from '../../server-fixture/store/postgres/database/pipelined-database.ts'
import { Events } from '../../server-fixture/store/postgres/events.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { Repositories } from '../../server-fixture/store/postgres/repositories.ts'
import { Sweeper } from '../../server-fixture/store/postgres/sweeper.ts'
import { systemClock } from '../../src/core/clock.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { newDatabase } from '../support/database.ts'
import { keyed, newCommit, newObject } from './support.ts'

const url = await newDatabase()
const store = await PostgresStore.open({ urls: [url] })
const database = await PipelinedDatabase.open({ urls: [url] })
const client = new pg.Client(url)
// The database goes before the connection does.
client.on('error', () => undefined)
await client.connect()
after(async () => {
  await client.end()
  await database.close()
  await store.close()
})

/** A new one, as a server that was started anew has it. */
const sweep = () => {
  const events = new Events(database, new Repositories(database))
  return new Sweeper({ database, events, clock: systemClock }).sweep()
}
const countOf = async (table: string) => Number((await client.query(`SELECT count(*) FROM ${table}`)).rows[0].count)

async function fill(name: string): Promise<void> {
  await store.createRepository(name, 'sha1')
  const commit = newCommit(name, 'sha1')
  await store.putObjects(name, commit)
  await store.putObjects(name, [newObject('blob', 'large '.repeat(300_000), 'sha1')])
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  await store.updateRefs(name, [move], { requests: [keyed('key', 'moved', [move])] })
}

test('a deleted repository loses its rows after a rest, and its keys and events after a week', async () => {
  await fill('kept')
  await fill('gone')
  const counts = async () => {
    const found: number[] = []
    for (const table of ['objects', 'chunks', 'refs', 'request_keys', 'events', 'tombstones']) {
      found.push(await countOf(table))
    }
    return found
  }
  const [objects = 0, chunks = 0, ...others] = await counts()
  assert.deepEqual(others, [2, 2, 2, 0])
  assert.equal(await store.deleteRepository('gone', (deleted) => keyed('deletion', `${deleted}`, [])), true)
  // As a server leaves it that dies right after the deletion.
  await client.query("UPDATE name_keys SET is_intent = true WHERE name = 'gone' AND key = 'deletion'")
  await sweep()
  assert.deepEqual(await counts(), [objects, chunks, 2, 2, 2, 1], 'a put may still be under way')
  await client.query("UPDATE tombstones SET deleted_at = now() - interval '2 minutes'")
  await sweep()
  assert.deepEqual(await counts(), [objects / 2, chunks / 2, 1, 2, 2, 1])
  assert.equal((await store.recall('gone', 'deletion'))?.outcome, 'true')
  await client.query("UPDATE tombstones SET deleted_at = now() - interval '8 days'")
  await sweep()
  assert.deepEqual(await counts(), [objects / 2, chunks / 2, 1, 1, 1, 0])
  assert.equal(
    (await store.recall('gone', 'deletion'))?.outcome,
    'true',
    'the key of the deletion holds without its tombstone'
  )
})

test('a server that closes while it sweeps keeps the tombstone of a repository whose rows are left', async () => {
  await fill('left')
  await store.deleteRepository('left')
  await client.query("UPDATE tombstones SET deleted_at = now() - interval '8 days'")
  const events = await countOf('events')
  const write: PipelinedDatabase['write'] = (statement) => {
    if (statement.name === 'empty request_keys') void sweeper.close()
    return database.write(statement)
  }
  const closing = new Proxy(database, {
    get: (of, property) => (property === 'write' ? write : Reflect.get(of, property).bind(of))
  })
  const sweeper = new Sweeper({
    database: closing,
    events: new Events(database, new Repositories(database)),
    clock: systemClock
  })
  await sweeper.sweep()
  assert.deepEqual([await countOf('events'), await countOf('tombstones')], [events, 1])
  await sweep()
  assert.deepEqual([await countOf('events'), await countOf('tombstones')], [events - 1, 0])
})

test('keys are removed when their time is over', async () => {
  await store.createRepository('keys', 'sha1', { request: () => keyed('creation', 'made', []) })
  await store.remember('keys', [keyed('old', 'refused', []), keyed('new', 'refused', [])])
  await client.query("UPDATE request_keys SET forget_after = now() - interval '1 second' WHERE key = 'old'")
  await client.query("UPDATE name_keys SET forget_after = now() - interval '1 second' WHERE key = 'creation'")
  await sweep()
  const [old, young, creation] = await Promise.all(['old', 'new', 'creation'].map((key) => store.recall('keys', key)))
  assert.deepEqual([old, young?.outcome, creation], [undefined, 'refused', undefined])
})
