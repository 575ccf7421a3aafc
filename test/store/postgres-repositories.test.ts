/** Repositories of several servers on one database. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
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
  assert.deepEqual(await one.createRepository('again', 'sha1', { defaultBranch: 'refs/heads/new' }), {
    info: { repository: 'again', objectFormat: 'sha1', defaultBranch: 'refs/heads/new' },
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
})

test('a default branch is chosen under a key, once', async () => {
  await one.createRepository('chosen', 'sha1')
  const request = () => keyed('choice', 'chosen', [])
  assert.equal((await one.updateRepository('chosen', 'refs/heads/a', request)).defaultBranch, 'refs/heads/a')
  await assert.rejects(other.updateRepository('chosen', 'refs/heads/b', request), KeyRemembered)
  assert.equal((await other.readHead('chosen')).ref, 'refs/heads/a')
  await assert.rejects(one.updateRepository('nobody', 'refs/heads/a'), notFound)
})
