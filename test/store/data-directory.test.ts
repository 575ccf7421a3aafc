/** The data directory of the Git store: its format, and where keys lie. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { appendFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { encode } from '../../server-fixture/store/git/journal-record.ts'
import { objectFormats, zeroOid } from '../../src/git/oid.ts'
import { git, keyed, newCommit, openGitStore, temporaryDirectory } from './support.ts'

for (const format of objectFormats) {
  test(`a directory of format 1 opens with its repositories, and is of format 3 from then on (${format})`, async (context) => {
    const directory = await temporaryDirectory(context)
    const gitDir = join(directory, 'team', 'demo.git')
    await mkdir(join(directory, 'team'))
    execFileSync('git', ['init', '-q', '--bare', '--template=', `--object-format=${format}`, '-b', 'main', gitDir])
    await appendFile(join(gitDir, 'config'), '[core]\n\tfsync = all\n[gc]\n\tauto = 0\n\tpruneExpire = never\n')
    await mkdir(join(directory, '~0123456789abcdef'))
    const [tree, commit] = newCommit('from format 1\n', format)
    assert.ok(tree && commit)
    git(gitDir, ['hash-object', '-w', '-t', 'tree', '--stdin'], '')
    git(gitDir, ['hash-object', '-w', '-t', 'commit', '--stdin'], Buffer.from(commit.content).toString())
    git(gitDir, ['update-ref', 'refs/heads/main', commit.oid])

    const store = await GitStore.open(directory)
    const [info] = await store.listRepositories({ prefix: '', after: '', limit: 9 })
    assert.deepEqual([info?.repository, info?.objectFormat], ['team/demo', format])
    const move = { name: 'refs/heads/main', expectedOid: commit.oid, newOid: zeroOid(format) }
    assert.deepEqual(await store.updateRefs('team/demo', [move], { requests: [keyed('key', 'gone', [move])] }), [])
    await store.close()
    assert.deepEqual((await readdir(directory)).toSorted(), ['team', '~format', '~requests'])
    assert.deepEqual(JSON.parse(await readFile(join(directory, '~format'), 'utf8')), { format: 3 })
    const instance = await readFile(join(gitDir, 'blobwire-instance'), 'utf8')
    assert.match(instance, /^[0-9a-f]{32}\n$/)

    const again = await GitStore.open(directory)
    assert.equal((await again.recall('team/demo', 'key'))?.outcome, 'gone')
    await again.readRefs('team/demo', [])
    await again.close()
    assert.equal(await readFile(join(gitDir, 'blobwire-instance'), 'utf8'), instance)
  })
}

test('a directory of format 2, whose journal has no events, opens with its keys', async (context) => {
  const directory = await temporaryDirectory(context)
  const before = await GitStore.open(directory)
  await before.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await before.putObjects('demo', commit)
  await before.close()
  const instance = (await readFile(join(directory, 'demo.git/blobwire-instance'), 'utf8')).trim()
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  git(join(directory, 'demo.git'), ['update-ref', move.name, move.newOid])
  const requests = [keyed('key', 'moved', [move])]
  const records = [{ repository: 'demo', instance, effect: 'moves', moves: [move], requests }, { done: [2 ** 32] }]
  const bytes = records.map((record) => encode(JSON.stringify(record), Date.now()))
  await writeFile(join(directory, '~requests/0000000001'), Buffer.concat(bytes))
  await writeFile(join(directory, '~format'), '{"format":2}')

  const store = await GitStore.open(directory)
  context.after(() => store.close())
  assert.deepEqual(JSON.parse(await readFile(join(directory, '~format'), 'utf8')), { format: 3 })
  assert.equal((await store.recall('demo', 'key'))?.outcome, 'moved')
  const { cursor } = await store.readEvents('demo', { limit: 9 })
  const back = { ...move, expectedOid: move.newOid, newOid: move.expectedOid }
  assert.deepEqual(await store.updateRefs('demo', [back]), [])
  const { events } = await store.readEvents('demo', { after: cursor, limit: 9 })
  assert.deepEqual(
    events.map(({ moves }) => moves),
    [[{ name: move.name, oldOid: move.newOid, newOid: move.expectedOid }]]
  )
})

test('a directory of a newer format is refused, and left as it is', async (context) => {
  const directory = await temporaryDirectory(context)
  for (const [text, said] of [
    ['{"format":4}', /its format is 4; this server reads formats up to 3/],
    ['{"format":3', /~format is not readable/]
  ] as const) {
    await writeFile(join(directory, '~format'), text)
    await assert.rejects(GitStore.open(directory), {
      name: 'BlobwireError',
      code: 'failed_precondition',
      reason: 'data_format',
      message: said
    })
    assert.deepEqual(await readdir(directory), ['~format'])
  }
})

test('a clone and a copy of a repository carry no keys', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  await store.updateRefs('demo', [move], { requests: [keyed('secret-key', 'moved', [move])] })
  const gitDir = join(directory, 'demo.git')
  await cp(gitDir, join(directory, 'copy.git'), { recursive: true })
  const clone = join(await temporaryDirectory(context), 'clone')
  execFileSync('git', ['clone', '-q', '--mirror', gitDir, clone])
  assert.deepEqual(await store.readRefs('copy', [move.name]), [move.newOid])
  assert.equal(await store.recall('copy', 'secret-key'), undefined)
  for (const place of [gitDir, clone]) {
    for (const entry of await readdir(place, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const bytes = await readFile(join(entry.parentPath, entry.name), 'latin1')
      assert.ok(!bytes.includes('secret-key'), entry.name)
    }
  }
})
