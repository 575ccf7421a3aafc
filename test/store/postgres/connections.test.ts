/** The connections to a database on bad networks: silent, cut, refused for a while, demoted, and databases that are refused. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as sent, setTimeout as sleep } from 'node:timers/promises'
import {
  type DatabaseOptions,
  PipelinedDatabase
} from '../../../server-fixture/store/postgres/database/pipelined-database.ts'
import type { Engine } from '../../../server-fixture/store/postgres/embedded/engine.ts'
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import { BlobwireError } from '../../../src/core/error.ts'
import { TcpProxy } from '../../../tcp-proxy/tcp-proxy.ts'
import { newDatabase } from '../../support/database.ts'
import { startTestEngine } from '../../support/database-engine.ts'

const url = await newDatabase()
const statement = (text: string, ...values: unknown[]) => ({ name: '', text, values })

async function opened(context: TestContext, options: Partial<DatabaseOptions> = {}): Promise<PipelinedDatabase> {
  const database = await PipelinedDatabase.open({ urls: [url], ...options })
  context.after(() => database.close())
  return database
}

/** A wire to the database that can be broken. */
async function proxied(context: TestContext, target = url): Promise<{ proxy: TcpProxy; through: string }> {
  const through = new URL(target)
  const proxy = new TcpProxy(`http://${through.host}`)
  await proxy.accept()
  context.after(() => proxy[Symbol.asyncDispose]())
  through.port = String(proxy.port)
  return { proxy, through: through.href }
}

/** Runs statements of the superuser. */
async function administer(...texts: string[]): Promise<void> {
  const database = await PipelinedDatabase.open({ urls: [url] })
  for (const text of texts) await database.write(statement(text))
  await database.close()
}

const isUnavailable = (error: unknown) => error instanceof BlobwireError && error.reason === 'database_unavailable'
const refused = (message: RegExp) => (error: BlobwireError) => {
  assert.equal(error.reason, 'database_refused')
  assert.match(error.message, message)
  return true
}
/** A database in which sessions find another setting than the engine has. */
async function databaseWith(setting: string, value: string): Promise<string> {
  const other = await newDatabase()
  const database = await PipelinedDatabase.open({ urls: [other] })
  await database.write(statement('CREATE SCHEMA pretended'))
  await database.write(
    statement(`CREATE FUNCTION pretended.current_setting(name text, missing boolean) RETURNS text LANGUAGE sql AS
      $$ SELECT CASE name WHEN '${setting}' THEN '${value}' ELSE pg_catalog.current_setting(name, missing) END $$`)
  )
  const name = new URL(other).pathname.slice(1)
  await database.write(statement(`ALTER DATABASE ${name} SET search_path = pretended, pg_catalog, public`))
  await database.close()
  return other
}

/** Looks for silence are made by the test: four are enough, of which the first sees bytes from before. */
function steppedLooks() {
  const lookMs = 123_456
  let look: () => void = () => undefined
  const clock: Clock = {
    ...systemClock,
    schedule(delayMs, callback) {
      if (delayMs !== lookMs) return systemClock.schedule(delayMs, callback)
      look = callback
      return () => undefined
    }
  }
  const lookFour = async () => {
    // By then the statements have been sent.
    await sent()
    for (let count = 0; count < 4; count++) look()
  }
  return { clock, lookMs, lookFour }
}

// Without the looks it takes 30 s and more.
test('a network that goes silent is left for the next server, and the calls succeed', {
  timeout: 25_000
}, async (context) => {
  const { proxy, through } = await proxied(context)
  const { lookFour, ...looks } = steppedLooks()
  const database = await opened(context, { ...looks, urls: [through, url], connectTimeoutMs: 150 })
  const ask = () => [
    database.read(statement('SELECT 2 AS n')),
    database.write(statement('SELECT 2 AS n')),
    database.whole([statement('SELECT 2 AS n')]).then(([rows]) => rows),
    database.transaction((on) => on.query(statement('SELECT 2 AS n')))
  ]
  await Promise.all(ask())
  proxy.partition()
  const asked = ask()
  await lookFour()
  for (const rows of await Promise.all(asked)) assert.deepEqual(rows, [{ n: 2 }])
})

test('a statement that takes long on a sound network is waited for', async (context) => {
  const { lookFour, ...looks } = steppedLooks()
  const database = await opened(context, looks)
  const [row] = await database.read<{ pid: number }>(statement('SELECT pg_backend_pid() AS pid'))
  const slow = database.read(statement('SELECT pg_sleep(0.15)'))
  await lookFour()
  await slow
  assert.deepEqual(await database.read(statement('SELECT pg_backend_pid() AS pid')), [row])
})

test('connections that are reset fail no call', async (context) => {
  const { proxy, through } = await proxied(context)
  const database = await opened(context, { urls: [through] })
  await database.write(statement('CREATE TABLE kept (n int PRIMARY KEY)'))
  const insert = (n: number) => statement('INSERT INTO kept VALUES ($1::int) ON CONFLICT DO NOTHING', n)
  let next = 0
  // One fault at a time: a call is repeated once, and the next fault must not meet the repetition.
  for (const [end, fault] of [
    [150, () => proxy.reset()],
    [300, () => proxy.cut()]
  ] as const) {
    const writer = async () => {
      while (next < end) {
        const n = next++
        if (n === end - 50) fault()
        await (n % 2 === 0 ? database.write(insert(n)) : database.whole([insert(n)]))
      }
    }
    await Promise.all(Array.from({ length: 20 }, writer))
  }
  assert.deepEqual(await database.read(statement('SELECT count(*)::int FROM kept')), [{ count: 300 }])
})

test('while no server answers calls are held, within bounds, and go on when one does', async (context) => {
  const { proxy, through } = await proxied(context)
  const servers: string[] = []
  const lost: string[] = []
  const gone = Promise.withResolvers<void>()
  const database = await opened(context, {
    urls: [through],
    held: { calls: 3, bytes: 1000 },
    onServer: (name) => servers.push(name),
    onNoServer({ message }) {
      lost.push(message)
      gone.resolve()
    }
  })
  proxy.refuse()
  proxy.reset()
  const one = (n: number) => database.read(statement('SELECT $1::int AS n', n))
  const held = [one(1)]
  await gone.promise
  held.push(one(2))
  const refused: string[] = []
  const refuse = ({ message }: Error) => void refused.push(message)
  database.write(statement('SELECT $1::bytea', Buffer.alloc(2000))).catch(refuse)
  await new Promise(setImmediate)
  held.push(one(3))
  one(4).catch(refuse)
  await new Promise(setImmediate)
  // At once, not after the time for which calls are held.
  assert.equal(refused.length, 2)
  for (const message of refused) assert.match(message, /has no connection for the call, and too many calls wait for it/)
  await database.check()
  assert.equal(database.figures().heldCalls, 3)
  await proxy.accept()
  assert.deepEqual(await Promise.all(held), [[{ n: 1 }], [{ n: 2 }], [{ n: 3 }]])
  const figures = database.figures()
  const { open } = figures
  assert.deepEqual(figures, { open, opened: 1 + open, retries: 1, heldCalls: 0, heldBytes: 0 })
  assert.equal(servers.length, 2)
  assert.equal(lost.length, 1)
  assert.match(lost[0] as string, /^the connection to the database 127\.0\.0\.1:\d+\/test_\w+ was lost: .*ECONNREFUSED/)
})

test('a call is held no longer than it may be', async (context) => {
  const { proxy, through } = await proxied(context)
  const database = await opened(context, { urls: [through], holdMs: 60 })
  proxy.refuse()
  proxy.reset()
  let made = 0
  const whole = database.whole(() => [statement(`SELECT ${++made}`)])
  await assert.rejects(whole, isUnavailable)
  assert.equal(made, 0, 'a transaction is made when it can be sent')
  await assert.rejects(database.read(statement('SELECT 1')), (error: BlobwireError) => {
    assert.match(error.message, /and the call has waited too long: the connection .* was lost: .*ECONNREFUSED/)
    return isUnavailable(error)
  })
  await assert.rejects(database.check(), /no server of the database has answered for 60 ms/)
})

test('a server that starts before its database waits for it', async (context) => {
  const { proxy, through } = await proxied(context)
  proxy.refuse()
  const opening = opened(context, { urls: [through] })
  await sleep(30)
  await proxy.accept()
  assert.deepEqual(await (await opening).read(statement('SELECT 1 AS n')), [{ n: 1 }])
})

test('a database that is killed under load and started again loses nothing, and fails no call', async (context) => {
  let engine = await startTestEngine()
  const { url, port, directory } = engine
  context.after(() => engine.stop())
  const database = await opened(context, { urls: [url] })
  await database.write(statement('CREATE TABLE kept (n int PRIMARY KEY)'))
  const insert = (n: number) => statement('INSERT INTO kept VALUES ($1::int) ON CONFLICT DO NOTHING', n)
  const killAt = 200
  let next = 0
  let restarted: Promise<void> | undefined
  const restart = async () => {
    await engine.kill()
    // The processes of the one that was killed take a moment to notice.
    const start = (): Promise<Engine> =>
      startTestEngine({ port, directory }).catch((error) => {
        if (/shared memory block .* still in use/.test(String(error))) return start()
        throw error
      })
    engine = await start()
  }
  const writer = async () => {
    while (next < 2 * killAt) {
      const n = next++
      if (n === killAt) restarted = restart()
      await (n % 2 === 0 ? database.write(insert(n)) : database.transaction((on) => on.query(insert(n))))
    }
  }
  await Promise.all(Array.from({ length: 20 }, writer))
  await restarted
  assert.deepEqual(await database.read(statement('SELECT count(*)::int FROM kept')), [{ count: 2 * killAt }])
})

test('a commit that no longer waits for its standby is not acknowledged', async (context) => {
  const engine = await startTestEngine({ settings: { synchronous_standby_names: 'nobody' } })
  context.after(() => engine.stop())
  const database = await opened(context, { urls: [engine.url] })
  await database.whole([
    statement('SET LOCAL synchronous_commit = local'),
    statement('CREATE TABLE kept (n int PRIMARY KEY)')
  ])
  const put = database.write(statement('INSERT INTO kept VALUES (1)'))
  const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'`
  while ((await database.read(statement(cancel))).length === 0) await sleep(5)
  // It was tried again, and found itself.
  await assert.rejects(put, /23505/)
})

test('a database that ends all its connections fails no call', async (context) => {
  const database = await opened(context)
  const reads = Array.from({ length: 50 }, (_, n) =>
    database.read(statement('SELECT $1::int AS n, pg_sleep(0.002)', n))
  )
  await administer(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`)
  const rows = await Promise.all(reads)
  assert.deepEqual(
    rows.map(([row]) => row?.['n']),
    Array.from({ length: 50 }, (_, n) => n)
  )
})

test('a primary that was demoted is left for the new one, by reads as well', async (context) => {
  const old = await newDatabase()
  const database = await opened(context, { urls: [old, url] })
  const where = () => database.read<{ at: string }>(statement('SELECT current_database() AS at'))
  const nameOf = (of: string) => new URL(of).pathname.slice(1)
  assert.deepEqual(await where(), [{ at: nameOf(old) }])
  await database.write(statement(`ALTER DATABASE ${nameOf(old)} SET default_transaction_read_only = on`))
  await database.write(statement(`SELECT set_config('default_transaction_read_only', 'on', false)`))
  await database.write(statement('CREATE TABLE promoted (n int)'))
  assert.deepEqual(await where(), [{ at: nameOf(url) }])
  assert.deepEqual(await database.read(statement('SELECT n FROM promoted')), [])
})

test('a database is refused that is not durable, too old, or takes no writes', async () => {
  const open = (urls: string[]) => PipelinedDatabase.open({ urls, holdMs: 1 })
  await assert.rejects(open([await databaseWith('fsync', 'off')]), refused(/runs with fsync = off: set it to on/))
  const old = await databaseWith('server_version_num', '120022')
  await assert.rejects(open([old]), refused(/the oldest that can be used is 13/))
  const standby = await newDatabase()
  const database = await PipelinedDatabase.open({ urls: [standby] })
  const name = new URL(standby).pathname.slice(1)
  await database.write(statement(`ALTER DATABASE ${name} SET default_transaction_read_only = on`))
  await database.close()
  // Another start may find it promoted.
  await assert.rejects(open([standby]), {
    reason: 'database_unavailable',
    message: /is a standby or read-only: it takes no writes$/
  })
})
