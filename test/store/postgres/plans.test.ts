/** Statements of reads and moves, whose plans are made while tables are small, still read few rows when those have grown. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import type { Database, Statement } from '../../../server-fixture/store/postgres/database/database.ts'
import { sessionStatement } from '../../../server-fixture/store/postgres/database/session.ts'
import { RepositoryMoves } from '../../../server-fixture/store/postgres/moves/repository-moves.ts'
import { ObjectReader } from '../../../server-fixture/store/postgres/object-reader.ts'
import { PostgresStore } from '../../../server-fixture/store/postgres/postgres-store.ts'
import { Refs } from '../../../server-fixture/store/postgres/refs.ts'
import { Repositories } from '../../../server-fixture/store/postgres/repositories.ts'
import { Requests } from '../../../server-fixture/store/postgres/requests.ts'
import { newDatabase } from '../../support/database.ts'
import { keyed, newCommit } from '../support.ts'

const urls = [await newDatabase(), await newDatabase()]
const zero = '0'.repeat(40)
const commits = ['one', 'two'].map((message) => newCommit(message, 'sha1'))
const [a = '', b = ''] = commits.map((objects) => objects[1]?.oid)
const rows = 3000
const calls = 20

/** All statements in one transaction of one session, which counts the rows that it reads. */
async function openSession(url: string) {
  const client = new pg.Client(url)
  await client.connect()
  await client.query(sessionStatement.text)
  await client.query('BEGIN')
  // As the driver does: names and values of a statement, one after the other.
  let last: Promise<unknown> = Promise.resolve()
  const ask = ({ name, text, values }: Statement) => {
    const rows = last.then(() => client.query({ name, text, values: [...values] })).then((result) => result.rows)
    last = rows.catch(() => undefined)
    return rows
  }
  const database = {
    read: ask,
    write: ask,
    whole: (given: readonly Statement[] | (() => readonly Statement[])) =>
      Promise.all((typeof given === 'function' ? given() : given).map(ask)),
    transaction: (work: (transaction: { query: typeof ask }) => unknown) => work({ query: ask })
  } as unknown as Database
  /** Rows of tables that were read so far. */
  const read = async () => {
    const text = `SELECT relname AS table, (coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::int AS read
      FROM pg_stat_xact_user_tables WHERE relname IN ('refs', 'objects', 'request_keys', 'repositories')`
    const found = (await client.query<{ table: string; read: number }>(text)).rows
    return new Map(found.map((row) => [row.table, row.read]))
  }
  return { client, database, read }
}

/** Fills the tables of a repository, as many calls would. */
const fill = [
  `INSERT INTO request_keys SELECT $1::bigint, 'key ' || n, '', '', now() FROM generate_series(1, ${rows}) n`,
  `INSERT INTO refs SELECT $1::bigint, 'refs/heads/f' || n, '\\x00', gen_random_uuid() FROM generate_series(1, ${rows}) n`,
  `INSERT INTO objects SELECT $1::bigint, int4send(n), 3, 0, 0, '' FROM generate_series(1, ${rows}) n`
]

for (const [index, url] of urls.entries()) {
  const isAnalyzed = index > 0
  const state = isAnalyzed ? 'were small when statistics were made' : 'had no statistics'
  test(`keys, refs and objects are each found by an index where tables ${state} before they grew`, async (context) => {
    const store = await PostgresStore.open({ urls: [url] })
    context.after(() => store.close())
    const name = `plans/${isAnalyzed}`
    await store.createRepository(name, 'sha1')
    const names = Array.from({ length: calls }, (_, index) => `refs/heads/b${index}`)
    const made = names.map((ref) => ({ name: ref, expectedOid: zero, newOid: a }))
    assert.deepEqual(await store.updateRefs(name, made, { objects: commits.flat() }), [])
    const { client, database, read } = await openSession(url)
    context.after(() => client.end())
    const repositories = new Repositories(database)
    const moves = new RepositoryMoves(database, 60)
    const requests = new Requests({ database, repositories, moves })
    const refs = new Refs({ database, repositories, moves, objects: undefined as never })
    const objects = new ObjectReader(database)
    const { id } = await repositories.use(name, async (found) => found)
    let round = 0
    /** Each call asks about a ref, a key, and an object, moves the ref, and remembers its key. */
    const work = async () => {
      const [from, to] = round++ % 2 === 0 ? [a, b] : [b, a]
      const keys = names.map((_, index) => `key ${round}/${index}`)
      assert.deepEqual(await refs.readOf(id, names), Array(calls).fill(from))
      assert.deepEqual(await requests.recallOf(id, keys), Array(calls).fill(undefined))
      assert.equal((await objects.read(id, [a, b], 1000)).size, 2)
      const move = (ref: string, index: number) =>
        repositories.use(name, (found) =>
          moves.add(found, [{ name: ref, expectedOid: from, newOid: to }], {
            requests: [keyed(keys[index] as string, 'moved', [])]
          })
        )
      assert.deepEqual((await Promise.all(names.map(move))).flat(), [])
      // The long way, on which each is refused.
      const refused = (await Promise.allSettled(names.map(move))).map((result) => result.status)
      assert.deepEqual(new Set(refused), new Set(['rejected']))
    }
    if (isAnalyzed) await client.query('ANALYZE request_keys, refs, objects, repositories')
    await work()
    for (const text of fill) await client.query(text, [id])
    const before = await read()
    await work()
    const after = await read()
    const plans = await client.query('SELECT sum(custom_plans)::int AS custom FROM pg_prepared_statements')
    assert.equal(plans.rows[0].custom, 0, 'plans were made more than once')
    for (const [table, count] of after) {
      const asked = count - (before.get(table) ?? 0)
      context.diagnostic(`${asked} rows of ${table}`)
      assert.ok(asked < 20 * calls, `${asked} rows of ${table} were read for ${2 * calls} moves`)
    }
  })
}
