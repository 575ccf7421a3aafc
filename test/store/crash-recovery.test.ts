/** A server that was killed: its lock file is taken over, and its unfinished files are removed. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import fs, { mkdir, readdir, readFile, rename, stat, utimes, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { startNode, startProgram } from '../support/child.ts'
import { git, newObject, openGitStore, temporaryDirectory } from './support.ts'

test('two stores cannot share a directory', async (context) => {
  const { store, directory } = await openGitStore(context)
  const inUse = { code: 'failed_precondition', reason: 'directory_in_use' }
  await assert.rejects(GitStore.open(directory), inUse)
  await assert.rejects(GitStore.open(`${directory}/.`), inUse)
  await store.createRepository('still/works', 'sha1')
})

test('the lock file of a living process is respected, that of a dead process is taken over', async (context) => {
  const directory = await temporaryDirectory(context)
  const child = startNode('-e', 'setInterval(() => {}, 1000)')
  const gone = once(child, 'exit')
  context.after(() => child.kill('SIGKILL'))
  const stat = await readFile(`/proc/${child.pid}/stat`, 'latin1').catch(() => '')
  const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  const lock = join(directory, 'server.lock')
  await writeFile(lock, JSON.stringify({ pid: child.pid, started }))
  await assert.rejects(GitStore.open(directory), { code: 'failed_precondition', reason: 'directory_in_use' })
  child.kill('SIGKILL')
  await gone
  const attempts = await Promise.allSettled([GitStore.open(directory), GitStore.open(directory)])
  const opened = attempts.filter((attempt) => attempt.status === 'fulfilled')
  assert.equal(opened.length, 1, 'both took the directory over')
  await opened[0]?.value.close()
  // An id that was given out again: the process lives, but it is another one.
  await writeFile(lock, JSON.stringify({ pid: process.ppid, started: '1' }))
  await (await GitStore.open(directory)).close()
  await writeFile(lock, 'not a lock at all')
  await (await GitStore.open(directory)).close()
  assert.deepEqual((await readdir(directory)).toSorted(), ['~format', '~requests'])
})

test('unfinished files of a killed server are removed, a pack that was almost moved in is kept', async (context) => {
  const directory = await temporaryDirectory(context)
  const gitDir = join(directory, 'demo.git')
  const objects = join(gitDir, 'objects')
  const blob = newObject('blob', 'in the pack', 'sha1')
  const first = await GitStore.open(directory)
  await first.createRepository('demo', 'sha1')
  await first.putObjects('demo', [blob])
  await first.close()

  const incoming = join(objects, 'blobwire-incoming-0123')
  // Of an earlier version.
  await mkdir(join(objects, 'tmp_objdir-blobwire-0123', 'pack'), { recursive: true })
  await mkdir(join(incoming, 'pack'), { recursive: true })
  const index = (await readdir(join(objects, 'pack'))).find((name) => name.endsWith('.idx')) ?? ''
  await rename(join(objects, 'pack', index), join(incoming, 'pack', index))
  await writeFile(join(incoming, 'pack', 'tmp_pack_abc'), 'half a pack')
  await writeFile(join(objects, 'pack', '.tmp-1-pack-abc.pack'), 'half a pack')
  await mkdir(join(directory, '~halfmade', 'objects'), { recursive: true })
  const locks = [join(gitDir, 'refs', 'heads', 'main.lock'), join(gitDir, 'packed-refs.lock')]
  for (const lock of locks) {
    await writeFile(lock, '')
    await utimes(lock, 1000, 1000)
  }
  assert.notEqual(git(gitDir, ['cat-file', '-e', blob.oid]).status, 0)

  const second = await GitStore.open(directory)
  assert.deepEqual(await second.hasObjects('demo', [blob.oid]), [{ kind: 'blob', size: 11 }])
  await second.close()
  assert.deepEqual((await readdir(directory)).toSorted(), ['demo.git', '~format', '~requests'])
  assert.deepEqual((await readdir(objects)).toSorted(), ['info', 'pack'])
  assert.equal((await readdir(join(objects, 'pack'))).length, 3)
  for (const lock of locks) await assert.rejects(stat(lock), { code: 'ENOENT' })
})

test('a store opens when the git processes of the killed server have ended, and not before', async (context) => {
  const directory = await temporaryDirectory(context)
  const orphan = startProgram('env', 'BLOBWIRE_INSTANCE=killed', 'cat')
  const ended = once(orphan, 'exit')
  await once(orphan, 'spawn')
  await writeFile(join(directory, 'server.lock'), JSON.stringify({ pid: 2 ** 30, started: '', instance: 'killed' }))
  // The list of processes is looked through again and again meanwhile.
  let looks = 0
  const looked = Promise.withResolvers<string>()
  const { readdir: list } = fs
  const mocked = context.mock.method(fs, 'readdir', (path: string, options: object) => {
    if (path === '/proc' && ++looks === 3) looked.resolve('looks')
    return list(path, options as never)
  })
  syncBuiltinESMExports()
  context.after(() => {
    mocked.mock.restore()
    syncBuiltinESMExports()
  })
  const opened = GitStore.open(directory)
  assert.equal(await Promise.race([opened.then(() => 'opened'), looked.promise]), 'looks')
  orphan.stdin.end()
  await ended
  await (await opened).close()
})
