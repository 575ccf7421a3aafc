/** The connections to a database: pipelines by kind, transactions, and failures that leave others alone. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PipelinedDatabase } from '../../../server-fixture/store/postgres/database/pipelined-database.ts'
import { newDatabase } from '../../support/database.ts'

const url = await newDatabase()
const named = (name: string, text: string, ...values: unknown[]) => ({ name, text, values })
const first = await PipelinedDatabase.open({ urls: [url] })
await first.write(named('', `ALTER DATABASE ${new URL(url).pathname.slice(1)} SET deadlock_timeout = 20`))
await first.close()

async function opened(context: { after(work: () => Promise<void>): void }) {
  const database = await PipelinedDatabase.open({ urls: [url] })
  context.after(() => database.close())
  return database
}

test('statements of one kind are sent without waiting, and an error leaves those around it alone', async (context) => {
  const database = await opened(context)
  const half = (value: number) => database.read<{ half: number }>(named('half', 'SELECT 8 / $1::int AS half', value))
  const settled = await Promise.allSettled([half(2), half(0), half(4), half(1)])
  const halves = settled.map((result) => (result.status === 'fulfilled' ? result.value[0]?.half : result.reason.code))
  assert.deepEqual(halves, [4, 'internal', 2, 8])
  const [{ reason }] = settled.filter(({ status }) => status === 'rejected') as [PromiseRejectedResult]
  assert.match(reason.message, /22012: division by zero/)
  assert.equal(reason.cause.code, '22012')
})

test('the kinds do not wait for each other', { timeout: 30_000 }, async (context) => {
  const database = await opened(context)
  const other = await opened(context)
  const lock = named('', 'SELECT pg_advisory_xact_lock(1)')
  // The others wait for a lock until the read has been answered.
  const held = await other.transaction(async (on) => {
    await on.query(lock)
    const waiting = Promise.all([
      database.write(lock),
      database.whole([lock]),
      database.transaction((waits) => waits.query(lock))
    ])
    const first = await Promise.race([database.read(named('', 'SELECT 1 AS n')), waiting])
    assert.deepEqual(first, [{ n: 1 }])
    return { waiting }
  })
  await held.waiting
})

test('a whole transaction is carried out or taken back, and its neighbours are not touched', async (context) => {
  const database = await opened(context)
  await database.write(named('', 'CREATE TABLE numbers (n int PRIMARY KEY)'))
  const insert = (n: number) => named('insert', 'INSERT INTO numbers VALUES ($1::int) RETURNING n', n)
  const [one, two, three] = await Promise.allSettled([
    database.whole([insert(1), insert(2)]),
    database.whole([insert(3), insert(1), insert(4)]),
    database.whole([insert(5)])
  ])
  assert.deepEqual(one, { status: 'fulfilled', value: [[{ n: 1 }], [{ n: 2 }]] })
  assert.match(String((two as PromiseRejectedResult).reason), /23505: duplicate key/)
  assert.equal(three.status, 'fulfilled')
  const rows = await database.read(named('', 'SELECT n FROM numbers ORDER BY n'))
  assert.deepEqual(rows, [{ n: 1 }, { n: 2 }, { n: 5 }])
})

test('a transaction is committed when its work is done, even where the work does not wait', async (context) => {
  const database = await opened(context)
  await database.write(named('', 'CREATE TABLE steps (n int PRIMARY KEY)'))
  const insert = (n: number) => named('step', 'INSERT INTO steps VALUES ($1::int)', n)
  await database.transaction((on) => {
    void on.query(insert(1))
    void on.query(insert(2))
  })
  const twice = database.transaction((on) => {
    void on.query(insert(3))
    void on.query(insert(2))
  })
  await assert.rejects(twice, /duplicate key/)
  const given = new Error('of the work')
  await assert.rejects(
    database.transaction(async (on) => {
      await on.query(insert(4))
      throw given
    }),
    given
  )
  assert.deepEqual(await database.read(named('', 'SELECT n FROM steps ORDER BY n')), [{ n: 1 }, { n: 2 }])
})

test('transactions that deadlock are tried again', async (context) => {
  const database = await opened(context)
  await database.write(named('', 'CREATE TABLE pair AS SELECT n, 0 AS count FROM generate_series(1, 2) n'))
  const raise = (n: number) => named('raise', 'UPDATE pair SET count = count + 1 WHERE n = $1::int', n)
  const both = Promise.withResolvers<void>()
  let tries = 0
  const crossing = (first: number, second: number) =>
    database.transaction(async (on) => {
      await on.query(raise(first))
      if (++tries === 2) both.resolve()
      await both.promise
      await on.query(raise(second))
    })
  await Promise.all([crossing(1, 2), crossing(2, 1)])
  // On a busy machine the repetition may meet the other one again.
  assert.ok(tries >= 3, `${tries} tries`)
  assert.deepEqual(await database.read(named('', 'SELECT count FROM pair')), [{ count: 2 }, { count: 2 }])
})

test('a prepared statement whose table a migration changed is prepared again', async (context) => {
  const database = await opened(context)
  await database.write(named('', 'CREATE TABLE changing (a int)'))
  const all = named('all', 'SELECT * FROM changing')
  await database.write(named('', 'INSERT INTO changing VALUES (1)'))
  assert.deepEqual(await database.read(all), [{ a: 1 }])
  await database.write(named('', 'ALTER TABLE changing ADD COLUMN b int'))
  assert.deepEqual(await database.read(all), [{ a: 1, b: null }])
})

test('a transaction that nobody goes on with gives its locks to those who wait, and succeeds when its server is back', async (context) => {
  const database = await opened(context)
  await database.write(named('', 'CREATE TABLE locks (n int)'))
  await database.write(named('', 'INSERT INTO locks VALUES (0)'))
  const [timeouts] = await database.read<{ idle: number; statement: number }>(
    named(
      '',
      `SELECT extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval)::float8 AS idle,
        extract(epoch FROM current_setting('statement_timeout')::interval)::float8 AS statement`
    )
  )
  assert.ok(timeouts && timeouts.idle * 3 <= timeouts.statement, JSON.stringify(timeouts))
  const add = named('', 'UPDATE locks SET n = n + 1 RETURNING n')
  let tries = 0
  let waiting: Promise<unknown> | undefined
  await database.transaction(async (on) => {
    if (++tries === 1) {
      await on.query(named('', "SET LOCAL idle_in_transaction_session_timeout = '50ms'"))
      await on.query(add)
      waiting = database.write(add)
      await waiting
    }
    await on.query(add)
  })
  assert.equal(tries, 2)
  assert.deepEqual(await database.read(named('', 'SELECT n FROM locks')), [{ n: 2 }])
  // The end of the connection may come as the answer to the next statement.
  const ended = named('', "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '25P03'; END $$")
  await assert.rejects(database.write(ended), { code: 'unavailable', reason: 'database_unavailable' })
})
