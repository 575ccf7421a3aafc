/**
 * Makes one keyed write in a Git store and kills itself in the middle of it.
 *
 *     node request-child.ts DIRECTORY WRITE POINT
 *
 * WRITE: creation, deletion or moves. POINT: intent = the intent is on disk, and the effect has not begun; effect = the
 * effect is had, and neither synced nor marked.
 */
import { existsSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { keyed } from './support.ts'

const [directory = '', write = '', point = '', from = '', to = ''] = process.argv.slice(2)
const store = await GitStore.open(directory)

const handle = await open(directory)
const prototype = Object.getPrototypeOf(handle) as FileHandle
await handle.close()
const { sync, datasync } = prototype
const die = () => process.kill(process.pid, 'SIGKILL')

/** The journal alone uses fdatasync. */
prototype.datasync = async function (this: FileHandle) {
  await datasync.call(this)
  if (point === 'intent') die()
}
/** Directories are synced after the effect; those of a new repository before it, too. */
prototype.sync = async function (this: FileHandle) {
  if (point === 'effect' && (write !== 'creation' || existsSync(join(directory, 'made.git')))) die()
  await sync.call(this)
}

if (write === 'creation')
  await store.createRepository('made', 'sha1', { request: ({ created }) => keyed('key', `${created}`, []) })
if (write === 'deletion') await store.deleteRepository('demo', (deleted) => keyed('key', `${deleted}`, []))
if (write === 'moves') {
  const moves = ['refs/heads/a', 'refs/heads/b'].map((name) => ({ name, expectedOid: from, newOid: to }))
  await store.updateRefs('demo', moves, { requests: [keyed('key', 'true', moves)] })
}
