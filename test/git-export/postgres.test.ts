/** Exports of the store on a database, by several processes, and imports into it. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import { importRepository } from '../../server-fixture/git-export/git-import.ts'
import { PostgresStore } from '../../server-fixture/store/postgres/postgres-store.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { git, temporaryDirectory } from '../store/support.ts'
import { newDatabase } from '../support/database.ts'
import { commitOf, fill, judge, last, makeRef } from './support.ts'

const url = await newDatabase()
const main = 'refs/heads/main'

async function openStore(context: TestContext): Promise<PostgresStore> {
  const store = await PostgresStore.open({ urls: [url] })
  context.after(() => store.close())
  store.boundUploads(defaultLimits)
  return store
}

test('another server exports the rows of a repository, and an import of the export makes the same rows', async (context) => {
  const [store, other] = [await openStore(context), await openStore(context)]
  const { refs } = await fill(store, 'team/a', 'sha256')
  const exports = new GitExports(other, await temporaryDirectory(context))
  const { path, objects } = await exports.bring('team/a')
  assert.equal(objects, judge(path, refs))
  const imported = await importRepository(path, { store, repository: 'copy' })
  assert.deepEqual(imported, { objects, refs: refs.size, left: [] })
  judge((await exports.bring('copy')).path, refs)
  await store.deleteRepository('team/a')
  await store.createRepository('team/a', 'sha1')
  const oid = await makeRef(store, 'team/a', { name: main, objects: commitOf('again', [], 'sha1') })
  await exports.bring('team/a')
  judge(path, new Map([[main, oid]]))
})

test('processes share an export: each finds what was acknowledged before, also after one of them was killed', async (context) => {
  const store = await openStore(context)
  const directory = await temporaryDirectory(context)
  await store.createRepository('a', 'sha1')
  const exports = new GitExports(store, directory)
  const file = fileURLToPath(new URL('export-child.ts', import.meta.url))
  let head = await makeRef(store, 'a', { name: main, objects: commitOf('first', [], 'sha1') })
  const child = spawn(process.execPath, [file, url, directory, 'a'], { stdio: ['ignore', 'pipe', 'inherit'] })
  context.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  for (let round = 0; round < 6; round++) {
    if (round === 3) child.kill('SIGKILL')
    const objects = commitOf(`round ${round}`, [head], 'sha1')
    head = last(objects)
    await makeRef(store, 'a', { name: main, objects })
    const { path } = await exports.bring('a')
    assert.equal(git(path, ['rev-parse', main]).output.trim(), head)
  }
  assert.equal(judge(exports.pathOf('a'), new Map([[main, head]])), 21)
})
