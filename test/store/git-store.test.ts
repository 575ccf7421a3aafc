import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { objectFormats, zeroOid } from '../../src/git/oid.ts'
import { git, newCommit, newObject, openGitStore, temporaryDirectory } from './support.ts'

for (const format of objectFormats) {
  test(`plain git finds an ordinary repository: fsck, log, clone, config (${format})`, async (context) => {
    const { store, directory } = await openGitStore(context)
    await store.createRepository('team/demo', format)
    const gitDir = join(directory, 'team', 'demo.git')
    const commit = newCommit('first\n', format)
    const oid = commit[1]?.oid ?? ''
    await store.putObjects('team/demo', [...commit, newObject('blob', 'nothing points here', format)])
    await store.updateRefs('team/demo', [{ name: 'refs/heads/main', expectedOid: zeroOid(format), newOid: oid }])

    assert.equal(git(gitDir, ['fsck', '--strict', '--no-dangling']).output, '')
    assert.equal(git(gitDir, ['log', '--format=%H %s']).output, `${oid} first\n`)
    assert.equal(git(gitDir, ['rev-parse', '--show-object-format']).output, `${format}\n`)
    const clone = join(directory, '~clone')
    execFileSync('git', ['clone', '--quiet', gitDir, clone])
    assert.equal((await readFile(join(clone, '.git', 'HEAD'), 'utf8')).trim(), 'ref: refs/heads/main')
    assert.equal(git(gitDir, ['gc', '--quiet']).status, 0)
    assert.equal(git(gitDir, ['cat-file', '-t', newObject('blob', 'nothing points here', format).oid]).output, 'blob\n')
  })
}

test('objects and refs that other git processes write are seen at once, also after pack-refs', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const gitDir = join(directory, 'demo.git')
  const [first, second] = ['one', 'two'].map((message) => newCommit(message, 'sha1'))
  assert.ok(first?.[1] && second?.[1])
  await store.putObjects('demo', [...first, ...second])
  const [one, two, zero] = [first[1].oid, second[1].oid, zeroOid('sha1')]
  const outside = newObject('blob', 'from outside', 'sha1').oid
  assert.deepEqual(await store.hasObjects('demo', [outside]), [undefined])
  git(gitDir, ['hash-object', '-w', '--stdin'], 'from outside')
  assert.deepEqual(await store.hasObjects('demo', [outside]), [{ kind: 'blob', size: 12 }])

  assert.deepEqual(await store.readRefs('demo', ['refs/heads/x']), [undefined])
  git(gitDir, ['update-ref', 'refs/heads/x', one])
  const late = await store.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: zero, newOid: two }])
  assert.deepEqual(late, [{ name: 'refs/heads/x', expectedOid: zero, foundOid: one }])
  git(gitDir, ['pack-refs', '--all'])
  assert.deepEqual(await store.readRefs('demo', ['refs/heads/x']), [one])
  assert.deepEqual(await store.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: one, newOid: two }]), [])
  assert.deepEqual(await store.readRefs('demo', ['refs/heads/x']), [two])
  git(gitDir, ['symbolic-ref', 'refs/heads/alias', 'refs/heads/x'])
  assert.deepEqual(await store.readRefs('demo', ['refs/heads/alias']), [two])
  assert.deepEqual(await store.updateRefs('demo', [{ name: 'refs/heads/x', expectedOid: two, newOid: zero }]), [])
  assert.deepEqual(await store.readRefs('demo', ['refs/heads/x']), [undefined])
})

test('a ref locked by another process fails with ref_locked, and the next move works', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const commit = newCommit('one', 'sha1')
  await store.putObjects('demo', commit)
  const lock = join(directory, 'demo.git', 'refs', 'heads', 'main.lock')
  await writeFile(lock, '')
  const move = { name: 'refs/heads/main', expectedOid: zeroOid('sha1'), newOid: commit[1]?.oid ?? '' }
  await assert.rejects(store.updateRefs('demo', [move]), { code: 'unavailable', reason: 'ref_locked', retryable: true })
  execFileSync('rm', [lock])
  assert.deepEqual(await store.updateRefs('demo', [move]), [])
})

test('many repositories share a few places for open ones', async (context) => {
  const { store } = await openGitStore(context, { maxOpenRepositories: 2 })
  const names = ['a', 'b', 'c', 'd', 'e']
  await Promise.all(names.map((name) => store.createRepository(name, 'sha1')))
  const blobs = names.map((name) => newObject('blob', name, 'sha1'))
  for (let round = 0; round < 3; round++) {
    await Promise.all(names.map((name, index) => store.putObjects(name, blobs.slice(index, index + 1))))
    const found = await Promise.all(
      names.map((name) =>
        store.hasObjects(
          name,
          blobs.map((blob) => blob.oid)
        )
      )
    )
    for (const [index, infos] of found.entries()) {
      assert.deepEqual(
        infos.map((info) => info !== undefined),
        names.map((_, other) => other === index)
      )
    }
  }
})

test('bytes damaged on disk are data loss; other objects are read in the same moment', async (context) => {
  const { store, directory } = await openGitStore(context)
  await store.createRepository('demo', 'sha1')
  const blobs = Array.from({ length: 20 }, (_, index) => newObject('blob', `number ${index} of twenty`, 'sha1'))
  const bad = newObject('blob', 'this one is to be damaged', 'sha1')
  await store.putObjects('demo', [...blobs.slice(0, 10), bad, ...blobs.slice(10)])
  const packs = join(directory, 'demo.git', 'objects', 'pack')
  const name = (await readdir(packs)).find((file) => file.endsWith('.pack')) ?? ''
  const pack = await readFile(join(packs, name))
  pack[pack.indexOf('damaged')] = 'D'.charCodeAt(0)
  execFileSync('chmod', ['u+w', join(packs, name)])
  await writeFile(join(packs, name), pack)

  const reads = blobs.map((blob) => store.readObjects('demo', [blob.oid], 1000))
  const lost = store.readObjects('demo', [bad.oid], 1000)
  await assert.rejects(lost, { code: 'data_loss', reason: 'integrity' })
  for (const [index, read] of (await Promise.all(reads)).entries()) {
    assert.deepEqual(read[0]?.content, blobs[index]?.content)
  }
})

test('a closed store refuses calls, has ended its processes, and may be opened again', async (context) => {
  const directory = await temporaryDirectory(context)
  const store = await GitStore.open(directory)
  await store.createRepository('demo', 'sha1')
  const blob = newObject('blob', 'kept', 'sha1')
  const put = store.putObjects('demo', [blob])
  await put
  await store.hasObjects('demo', [blob.oid])
  await Promise.all([store.close(), store.close()])
  await assert.rejects(store.putObjects('demo', [blob]), { code: 'unavailable', reason: 'store_closed' })
  await assert.rejects(store.createRepository('more', 'sha1'), { code: 'unavailable', reason: 'store_closed' })
  assert.deepEqual((await readdir(directory)).toSorted(), ['demo.git', '~format', '~requests'])
  const again = await GitStore.open(directory)
  assert.deepEqual(await again.hasObjects('demo', [blob.oid]), [{ kind: 'blob', size: 4 }])
  await again.close()
})

test('names that lead out of the directory are refused', async (context) => {
  const { store } = await openGitStore(context)
  for (const name of ['../evil', 'a/../../evil', '', '/etc', 'a\0b', 'x.git']) {
    await assert.rejects(store.createRepository(name, 'sha1'), { code: 'invalid_argument' })
    await assert.rejects(store.deleteRepository(name), { code: 'invalid_argument' })
    assert.equal(await store.getRepository(name), undefined)
    await assert.rejects(store.hasObjects(name, []), { code: 'not_found' })
  }
})
