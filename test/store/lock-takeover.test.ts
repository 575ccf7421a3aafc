/**
 * A server that finds the lock of a dead one takes it over, unless another server has done so since it looked. The other
 * server is the parent of this process, which lives, and its moves are made at the worst moments.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { temporaryDirectory } from './support.ts'

const inUse = { code: 'failed_precondition', reason: 'directory_in_use' }

/** A lock as a server writes it; a process id above what Linux gives out is nobody's. */
async function lockOf(pid: number): Promise<string> {
  const text = await fs.readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  const started = text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return JSON.stringify({ pid, started, mark: `mark of ${pid}` })
}

const dead = await lockOf(2 ** 30)
const living = await lockOf(process.ppid)

/** Runs something just before the file at `path` is moved aside, once. */
function beforeMove(context: TestContext, path: string, meanwhile: () => Promise<void>): { moves: number } {
  const seen = { moves: 0 }
  const { rename } = fs
  const mocked = context.mock.method(fs, 'rename', async (from: string, to: string) => {
    if (from === path && seen.moves++ === 0) await meanwhile()
    return rename(from, to)
  })
  syncBuiltinESMExports()
  context.after(() => {
    mocked.mock.restore()
    syncBuiltinESMExports()
  })
  return seen
}

test('a lock that another server took over after it was read is put back, and that server keeps the data', async (context) => {
  const directory = await temporaryDirectory(context)
  const lock = join(directory, 'server.lock')
  await fs.writeFile(lock, dead)
  const seen = beforeMove(context, lock, async () => {
    await fs.unlink(lock)
    await fs.writeFile(lock, living)
  })
  await assert.rejects(GitStore.open(directory), inUse)
  assert.equal(seen.moves, 1)
  assert.deepEqual(await fs.readdir(directory), ['server.lock'])
  assert.equal(await fs.readFile(lock, 'utf8'), living)
})

test('a lock that goes before it is moved is nobody’s any more', async (context) => {
  const directory = await temporaryDirectory(context)
  const lock = join(directory, 'server.lock')
  await fs.writeFile(lock, dead)
  let gone = 0
  const seen = beforeMove(context, lock, async () => {
    gone++
    await fs.unlink(lock)
  })
  await (await GitStore.open(directory)).close()
  assert.deepEqual([gone, seen.moves, (await fs.readdir(directory)).toSorted()], [1, 1, ['~format', '~requests']])
})

test('nothing comes between: the lock of a dead server is taken over', async (context) => {
  const directory = await temporaryDirectory(context)
  const lock = join(directory, 'server.lock')
  await fs.writeFile(lock, dead)
  const seen = beforeMove(context, lock, async () => undefined)
  const store = await GitStore.open(directory)
  assert.equal(seen.moves, 1)
  assert.equal(JSON.parse(await fs.readFile(lock, 'utf8')).pid, process.pid)
  await store.close()
})
