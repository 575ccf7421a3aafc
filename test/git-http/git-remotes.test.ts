/** The exports that Git's clients read: as fresh as their requests need. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { GitRemotes } from '../../server-fixture/git-http/git-remotes.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { commitOf, last, makeRef } from '../git-export/support.ts'
import { git, temporaryDirectory } from '../store/support.ts'

const main = 'refs/heads/main'

test('a fetch of known objects waits for no export, one of others does, and a repository of before is none', async (context) => {
  const store = new MemoryStore()
  await store.createRepository('a', 'sha1')
  const cache = await temporaryDirectory(context)
  const remotes = new GitRemotes(store, { cache })
  const { signal } = new AbortController()
  const first = await makeRef(store, 'a', { name: main, objects: commitOf('first', [], 'sha1') })
  const headOf = (path: string) => git(path, ['rev-parse', main]).output.trim()
  const path = await remotes.directoryWith('a', [], signal)
  assert.deepEqual([path, headOf(path)], [join(cache, 'a.git'), first])
  const next = commitOf('second', [first], 'sha1')
  await makeRef(store, 'a', { name: main, objects: next })
  await remotes.directoryWith('a', [], signal)
  await remotes.directoryWith('a', [first], signal)
  assert.equal(headOf(path), first)
  await remotes.directoryWith('a', [first, last(next)], signal)
  assert.equal(headOf(path), last(next))
  await store.deleteRepository('a')
  await store.createRepository('a', 'sha256')
  await remotes.directoryWith('a', [], signal)
  assert.equal(git(path, ['rev-parse', '--show-object-format']).output.trim(), 'sha256')
  await remotes.close()
})
