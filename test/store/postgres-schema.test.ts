/** The schema is made once, brought up to date under load, and refused where it is newer than the server. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import pg from 'pg'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { type Migration, migrations } from '../../server-fixture/store/postgres/schema/migrations.ts'
import { zeroOid } from '../../src/git/oid.ts'
import { newDatabase } from '../support/database.ts'
import { newCommit, newObject } from './support.ts'

/** The statements that a later version may have. */
const next: Migration = {
  statements: [
    'ALTER TABLE objects ADD COLUMN stored_at timestamptz',
    'ALTER TABLE refs ADD COLUMN moved_at timestamptz',
    "ALTER TABLE repositories ADD COLUMN description text NOT NULL DEFAULT ''",
    'CREATE INDEX repositories_by_name ON repositories (name)',
    'CREATE TABLE labels (repository bigint, label text, PRIMARY KEY (repository, label))'
  ]
}

async function query(url: string, text: string): Promise<pg.QueryResult> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await client.query(text)
  } finally {
    await client.end()
  }
}

const versionOf = async (url: string) => (await query(url, 'SELECT version FROM schema_version')).rows[0].version

const url = await newDatabase()

test('servers that start at once on an empty database make the schema once, and all of them start', async () => {
  const stores = await Promise.all([1, 2, 3, 4].map(() => PostgresStore.open({ urls: [url] })))
  await stores[0]?.createRepository('first', 'sha1')
  for (const store of stores) {
    assert.equal((await store.getRepository('first'))?.objectFormat, 'sha1')
    await store.close()
  }
  assert.equal(await versionOf(url), migrations.length)
})

test('three servers are brought to the next version one by one, under load, without a failed call', async () => {
  const open = (of: readonly Migration[]) => PostgresStore.open({ urls: [url], migrations: of })
  const servers = await Promise.all([1, 2, 3].map(() => open(migrations)))
  await servers[0]?.createRepository('loaded', 'sha1')
  let isOver = false
  let count = 0
  const stored: string[] = []
  /** A caller that has one server after the other, as a client does that hears of a drain. */
  const call = async (from: number) => {
    for (let at = from; !isOver; at++) {
      const store = servers[at % servers.length] as PostgresStore
      const blob = newObject('blob', `blob ${++count}`, 'sha1')
      const [tree, commit] = newCommit(`commit ${count}`, 'sha1')
      assert.ok(tree && commit)
      const move = { name: `refs/heads/branch-${count}`, expectedOid: zeroOid('sha1'), newOid: commit.oid }
      await store.putObjects('loaded', [blob])
      assert.deepEqual(await store.updateRefs('loaded', [move], { objects: [tree, commit] }), [])
      stored.push(blob.oid)
      assert.equal((await store.hasObjects('loaded', [blob.oid]))[0]?.kind, 'blob')
      const name = `made/${randomUUID()}`
      assert.equal((await store.createRepository(name, 'sha1')).created, true)
      assert.equal(await store.deleteRepository(name), true)
    }
  }
  const callers = [0, 1, 2, 3, 4, 5].map(call)
  const failed = Promise.all(callers)
  let hasFailed = false
  failed.catch(() => {
    hasFailed = true
  })
  const drained: Promise<void>[] = []
  for (const [at, old] of servers.entries()) {
    servers[at] = await open([...migrations, next])
    // Calls that have it already go on.
    const before = count
    while (!hasFailed && count < before + 15) await new Promise(setImmediate)
    drained.push(old.close())
  }
  isOver = true
  await failed
  await Promise.all(drained)
  assert.equal(await versionOf(url), migrations.length + 1)
  const infos = await (servers[0] as PostgresStore).hasObjects('loaded', stored)
  assert.ok(infos.every((info) => info !== undefined))
  await Promise.all(servers.map((server) => server.close()))
})

test('a schema of the next version is refused at the start, with a sentence', async () => {
  const store = await PostgresStore.open({ urls: [url], migrations: [...migrations, next] })
  await assert.rejects(PostgresStore.open({ urls: [url], migrations }), {
    code: 'failed_precondition',
    reason: 'data_format',
    message: `the database cannot be used: its schema has version ${migrations.length + 1}; this server knows versions up to ${migrations.length}; use the version of the server that made it, or a later one`
  })
  await store.close()
})

test('a database that is not there, or whose user may not come in or make tables, is refused at the start', async () => {
  const other = new URL(await newDatabase())
  const user = `poor_${process.pid}`
  const name = other.pathname.slice(1)
  await query(
    other.href,
    `CREATE ROLE ${user} LOGIN PASSWORD 'own'; CREATE ROLE ${user}_out LOGIN PASSWORD 'own'; GRANT CONNECT ON DATABASE ${name} TO ${user};
      REVOKE CONNECT ON DATABASE ${name} FROM PUBLIC; REVOKE CREATE ON SCHEMA public FROM PUBLIC`
  )
  const isRefused = async (change: Partial<URL>, message: RegExp) => {
    const refused = { reason: 'database_refused', code: 'failed_precondition', message }
    await assert.rejects(PostgresStore.open({ urls: [Object.assign(new URL(other), change).href] }), refused)
  }
  const place = `the database ${other.host}/${name} cannot be used`
  await isRefused({ pathname: '/absent' }, /absent cannot be used: 3D000: database "absent" does not exist; make it/)
  await isRefused({ username: 'nobody_here' }, new RegExp(`^${place}: 28.*; check the user and the password`))
  await isRefused({ username: `${user}_out`, password: 'own' }, new RegExp(`^${place}: 42501: .*; GRANT CONNECT`))
  const rights = /^the database cannot be used: permission denied for schema public; its user has to own the tables/
  await isRefused({ username: user, password: 'own' }, rights)
  await query(other.href, `DROP OWNED BY ${user}; DROP ROLE ${user}, ${user}_out`)
})
