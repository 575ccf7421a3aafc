/** Exports of a repository as a bare Git repository: Git finds in them what the store has. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GitExports } from '../../server-fixture/git-export/git-exports.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import { temporaryDirectory } from '../store/support.ts'
import { fill, judge } from './support.ts'

for (const format of ['sha1', 'sha256'] as const) {
  test(`${format}: Git has every ref, HEAD and object of the export, and fsck finds nothing`, async (context) => {
    const store = new MemoryStore()
    const { refs } = await fill(store, 'team/a', format)
    const exports = new GitExports(store, await temporaryDirectory(context))
    const { path, isRefreshed, objects } = await exports.bring('team/a')
    assert.ok(isRefreshed)
    assert.equal(objects, judge(path, refs))
  })
}
