/**
 * Nothing that was answered can be undone by a crash of the machine: when a write is answered, no name and no byte that
 * the store itself changed waits for a sync. What git's processes change is seen by `traced-syncs.test.ts`.
 */
import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { markDelayMs } from '../../server-fixture/store/git/request-journal.ts'
import { accounting, watchFiles } from '../support/file-operations.ts'
import { Unsynced } from '../support/unsynced.ts'
import { later, until } from '../support/until.ts'
import { isMissed, prepare, refusal, serviceOn, writes } from './every-write.ts'
import { temporaryDirectory } from './support.ts'

/** Keeps account of what this process changes below a directory. */
async function accountOf(context: TestContext, directory: string) {
  const account = new Unsynced()
  const stop = await watchFiles(directory, accounting(account))
  context.after(stop)
  const undone = () => account.list(directory, (path) => isMissed(path.replace(/^new\/data\//, '')))
  /** The mark that follows an effect is written by a timer, which would fire within the next write on a busy machine. */
  const settled = async () => {
    await later(markDelayMs)
    await until(() => undone().length === 0, 'marks are synced')
  }
  return { undone, settled }
}

test('a new data directory, and each kind of write in it, is synced before it is answered', async (context) => {
  const parent = await temporaryDirectory(context)
  const directory = join(parent, 'new', 'data')
  const { undone, settled } = await accountOf(context, parent)
  const store = await GitStore.open(directory)
  context.after(() => store.close())
  assert.deepEqual(undone(), [], 'opening')
  const { call } = serviceOn(store)
  const head = await prepare(call)
  for (const { name, method, request } of writes) {
    await settled()
    await call(method, request(head))
    assert.deepEqual(undone(), [], name)
    if (name === 'deletion') await prepare(call)
  }
  await assert.rejects(call('Apply', refusal), { reason: 'missing_object' })
  assert.deepEqual(undone(), [], 'a refusal that is remembered')
})

test('a directory of an earlier version: its journal and the ids of its repositories are synced with its first write', async (context) => {
  const directory = await temporaryDirectory(context)
  const earlier = await GitStore.open(directory)
  const head = await prepare(serviceOn(earlier).call)
  await earlier.close()
  for (const name of ['~format', '~requests', 'demo.git/blobwire-instance']) {
    await rm(join(directory, name), { recursive: true })
  }
  const { undone, settled } = await accountOf(context, directory)
  const store = await GitStore.open(directory)
  context.after(() => store.close())
  const { call } = serviceOn(store)
  for (const { name, method, request } of writes) {
    await settled()
    await call(method, request(head))
    assert.deepEqual(undone(), [], name)
  }
})
