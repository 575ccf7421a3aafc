/** Names that a file system holds equal: the Git store refuses the later one, and finds nothing under it. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import fs, { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileNamesOf, folded, windowsProblem } from '../../server-fixture/store/git/file-names.ts'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { RefFiles } from '../../server-fixture/store/git/ref-files.ts'
import { hashObject, zeroOid } from '../../src/git/oid.ts'

/** The path that a file system finds which holds names equal. */
function found(path: string): string {
  return path.split('/').reduce((above, segment) => {
    const names = above === '' ? [] : readdirSync(above, { encoding: 'utf8' })
    const same = names.includes(segment) ? segment : names.find((name) => folded(name) === folded(segment))
    return `${above}/${same ?? segment}`
  })
}

/** Reads as such a file system does. */
function foldingReads(): () => void {
  const { readFile, stat } = fs
  const folding = (path: unknown) => {
    try {
      return typeof path === 'string' && path.startsWith(tmpdir()) ? found(path) : path
    } catch {
      return path
    }
  }
  const reads = {
    readFile: (path: unknown, ...rest: never[]) => readFile(folding(path) as string, ...rest),
    stat: (path: unknown, ...rest: never[]) => stat(folding(path) as string, ...rest)
  }
  Object.assign(fs, reads)
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, { readFile, stat })
    syncBuiltinESMExports()
  }
}

test('names that are equal in case, form and end; names that Windows does not have', () => {
  const names = ['a/Über', 'A/u\u0308BER', 'a./über', 'a/U\u0308ber\u200c']
  assert.equal(new Set(names.map(folded)).size, 1)
  assert.notEqual(folded('a/b'), folded('ab'))
  for (const name of ['con', 'a/NUL.txt', 'com1.git', 'a./b', 'a.']) assert(windowsProblem(name), name)
  for (const name of ['cone', 'com', 'a.b/c', 'nul-1']) assert.equal(windowsProblem(name), undefined, name)
})

describe('a file system that holds names equal', () => {
  let directory: string
  let store: GitStore
  let restore: () => void
  const content = Buffer.from('a')
  const oid = hashObject('blob', content, 'sha1')

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'blobwire-equal-'))
    restore = foldingReads()
    await writeFile(join(directory, '~format'), '{"format":3}\n')
    store = await GitStore.open(directory)
    await store.createRepository('Team/Demo', 'sha1')
    await store.putObjects('Team/Demo', [{ kind: 'blob', oid, content }])
  })
  after(async () => {
    restore()
    await store.close()
    await rm(directory, { recursive: true })
  })

  const move = (name: string) => ({ name, newOid: oid, expectedOid: zeroOid('sha1') })
  const refused = (other: RegExp) => (error: { reason: string; message: string }) => {
    assert.equal(error.reason, 'equal_names', error.message)
    assert.match(error.message, other)
    return true
  }

  test('is found out by a file in another case', async () => {
    assert.equal((await fileNamesOf(directory, '~format')).folds, true)
    restore()
    assert.equal((await fileNamesOf(directory, '~format')).folds, process.platform !== 'linux')
    restore = foldingReads()
  })

  test('has no repository of another spelling, and none is created beside it', async () => {
    for (const name of ['team/demo', 'Team/DEMO', 'team/other']) {
      assert.equal(await store.getRepository(name), undefined, name)
      await assert.rejects(store.createRepository(name, 'sha1'), refused(/"Team(\/Demo)?"/), name)
      assert.equal(await store.deleteRepository(name), false, name)
    }
    assert.equal((await store.createRepository('Team/Demo', 'sha1')).created, false)
    await store.createRepository('Team/Other', 'sha1')
    assert.equal((await store.listRepositories({ prefix: '', after: '', limit: 9 })).length, 2)
  })

  test('has no ref of another spelling, and none is created beside it, in one move or two', async () => {
    const name = 'refs/tags/Feature/One'
    assert.deepEqual(await store.updateRefs('Team/Demo', [move(name)]), [])
    assert.deepEqual(await store.readRefs('Team/Demo', [name, 'refs/tags/feature/one']), [oid, undefined])
    for (const other of ['refs/tags/feature/one', 'refs/tags/feature/two', 'refs/TAGS/x']) {
      await assert.rejects(store.updateRefs('Team/Demo', [move(other)]), refused(/refs\/tags/), other)
    }
    const both = [move('refs/tags/Über'), move('refs/tags/u\u0308ber')]
    await assert.rejects(store.updateRefs('Team/Demo', both), refused(/Über/))
    const racing = ['refs/tags/x', 'refs/tags/X'].map((other) => store.updateRefs('Team/Demo', [move(other)]))
    const outcomes = await Promise.allSettled(racing)
    assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  })

  test('a packed ref of another spelling is another ref', async () => {
    const gitDir = join(directory, 'packed')
    await mkdir(join(gitDir, 'refs/heads'), { recursive: true })
    await writeFile(join(gitDir, 'refs/heads/Main'), `${'a'.repeat(40)}\n`)
    await writeFile(join(gitDir, 'packed-refs'), `${'b'.repeat(40)} refs/heads/main\n`)
    const files = new RefFiles(gitDir, { folds: true, isWindows: false })
    assert.equal(await files.read('refs/heads/Main'), 'a'.repeat(40))
    assert.equal(await files.read('refs/heads/main'), 'b'.repeat(40))
  })
})

test('Windows has no repositories with the names of devices', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-windows-'))
  const store = await GitStore.open(directory, { fileNames: { folds: true, isWindows: true } })
  context.after(async () => {
    await store.close()
    await rm(directory, { recursive: true })
  })
  await assert.rejects(store.createRepository('team/aux', 'sha1'), { reason: 'equal_names' })
  await assert.rejects(store.createRepository('team./a', 'sha1'), /ends with a character that Windows leaves out/)
  assert.equal((await store.createRepository('team/auxiliary', 'sha1')).created, true)
})
