/** Repositories of several servers on one database. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { PipelinedDatabase } from '../../server-fixture/store/postgres/database/pipelined-database.ts'
import { NameKeys } from '../../server-fixture/store/postgres/name-keys.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { KeyRemembered } from '../../server-fixture/store/store.ts'
import { newDatabase } from '../support/database.ts'
import { keyed } from './support.ts'

const urls = [await newDatabase()]
const one = await PostgresStore.open({ urls })
const other = await PostgresStore.open({ urls })
after(async () => {
  await one.close()
  await other.close()
})

const notFound = { code: 'not_found', reason: 'repository' }

test('creations at once on two servers make one repository', async () => {
  const stores = [one, other, one, other, one, other]
  const creations = await Promise.all(stores.map((store) => store.createRepository('at/once', 'sha256')))
  assert.equal(creations.filter(({ created }) => created).length, 1)
  for (const { info } of creations) assert.equal(info.objectFormat, 'sha256')
})

test('a repository that was deleted and made again on one server is the new one on the other', async () => {
  await one.createRepository('again', 'sha1')
  assert.equal((await other.readHead('again')).ref, 'refs/heads/main')
  assert.equal(await one.deleteRepository('again'), true)
  await assert.rejects(other.readHead('again'), notFound)
  const anew = await one.createRepository('again', 'sha1', { defaultBranch: 'refs/heads/new' })
  const { incarnation } = anew.info
  assert.deepEqual(anew, {
    info: { repository: 'again', objectFormat: 'sha1', defaultBranch: 'refs/heads/new', incarnation },
    created: true
  })
  assert.equal((await other.readHead('again')).ref, 'refs/heads/new')
  assert.equal(await other.deleteRepository('again'), true)
  assert.equal(await one.deleteRepository('again'), false)
})

test('deletions at once on two servers: one of them did it', async () => {
  await one.createRepository('removed', 'sha1')
  const stores = [one, other, one, other]
  const request = (key: string) => (deleted: boolean) => keyed(key, `${deleted}`, [])
  const deletions = await Promise.all(
    stores.map((store, at) => store.deleteRepository('removed', request(`key ${at}`)))
  )
  assert.equal(deletions.filter((deleted) => deleted).length, 1)
  const outcomes = await Promise.all(deletions.map((_, at) => other.recall('removed', `key ${at}`)))
  assert.deepEqual(
    outcomes.map((remembered) => remembered?.outcome),
    deletions.map(String)
  )
})

test('a default branch is chosen under a key, once', async () => {
  await one.createRepository('chosen', 'sha1')
  const request = () => keyed('choice', 'chosen', [])
  assert.equal((await one.updateRepository('chosen', 'refs/heads/a', request)).defaultBranch, 'refs/heads/a')
  await assert.rejects(other.updateRepository('chosen', 'refs/heads/b', request), KeyRemembered)
  assert.equal((await other.readHead('chosen')).ref, 'refs/heads/a')
  await assert.rejects(one.updateRepository('nobody', 'refs/heads/a'), notFound)
})

test('a server that died between the steps of a deletion or a creation leaves nothing that anybody sees', async () => {
  const database = await PipelinedDatabase.open({ urls })
  const write = (text: string, values: readonly unknown[]) => database.write<{ id: string }>({ name: '', text, values })
  await one.createRepository('half', 'sha1')
  const [named] = await write('SELECT id FROM names WHERE name = $1', ['half'])
  const half = { name: 'half', id: named?.id ?? '' }
  const request = (deleted: boolean) => keyed('deletion', `${deleted}`, [])
  // The intent alone.
  await new NameKeys(database).remember(half, [request(true)], true)
  assert.equal(await other.recall('half', 'deletion'), undefined)
  assert.equal((await other.getRepository('half'))?.repository, 'half')
  assert.equal(await other.deleteRepository('half', request), true)
  assert.equal((await one.recall('half', 'deletion'))?.outcome, 'true')
  // The name without its repository.
  await one.createRepository('half', 'sha1')
  await write('DELETE FROM repositories WHERE name = $1 RETURNING id', ['half'])
  await assert.rejects(one.readHead('half'), notFound)
  assert.deepEqual(await other.listRepositories({ prefix: 'half', after: '', limit: 10 }), [])
  assert.equal((await other.createRepository('half', 'sha256')).created, true)
  assert.equal((await one.readHead('half')).ref, 'refs/heads/main')
  await database.close()
})
