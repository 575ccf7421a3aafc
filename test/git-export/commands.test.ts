/** `npm run export` and `npm run import`, on a Git store. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { runExport } from '../../server-fixture/git-export/export-command.ts'
import { runImport } from '../../server-fixture/git-export/import-command.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { UsageError } from '../../server-fixture/usage-error.ts'
import { git, temporaryDirectory } from '../store/support.ts'
import { commitOf, fill, judge, makeRef } from './support.ts'

test('a repository goes from one store to another through an export, with what other programs do to its refs', async (context) => {
  const [data, other, to] = await Promise.all([1, 2, 3].map(() => temporaryDirectory(context)))
  const first = await GitStore.open(data as string)
  const { refs } = await fill(first, 'team/a', 'sha1')
  await first.close()
  const lines: string[] = []
  const exported = ['--to', to as string, '--store', 'git', '--data', data as string]
  await runExport(exported, (line) => lines.push(line))
  git(join(data as string, 'team', 'a.git'), ['update-ref', 'refs/heads/by-hand', 'refs/heads/trunk'])
  refs.set('refs/heads/by-hand', refs.get('refs/heads/trunk') ?? '')
  await runExport([...exported, 'team/a'], (line) => lines.push(line))
  const path = join(to as string, 'team', 'a.git')
  judge(path, refs)
  const imported = [path, 'copy', '--store', 'git', '--data', other as string]
  await runImport(imported, (line) => lines.push(line))
  judge(join(other as string, 'copy.git'), refs)
  assert.deepEqual(lines, [
    `team/a: 17 objects, 4 refs in ${path}`,
    `team/a: 0 objects, 5 refs in ${path}`,
    'copy: 17 objects, 5 refs'
  ])
  const second = await GitStore.open(other as string)
  await makeRef(second, 'copy', {
    name: 'refs/heads/trunk',
    objects: commitOf('ahead', [refs.get('refs/heads/trunk') ?? ''], 'sha1')
  })
  await second.close()
  await assert.rejects(
    runImport(imported, () => undefined),
    /refs\/heads\/trunk stays: it has commits/
  )
})

test('a store without repositories of its own is wrong usage', async () => {
  await assert.rejects(
    runExport(['--store', 'memory', '--to', 'x'], () => undefined),
    (error) => {
      assert.ok(error instanceof UsageError)
      assert.match(error.message, /--store must be git or postgres/)
      return true
    }
  )
})
