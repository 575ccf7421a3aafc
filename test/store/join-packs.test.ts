/** Joining of packs: which ones, what a kill leaves, whose packs are left alone, and what is told of failures. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { readdir, rename, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import type { GitStoreOptions } from '../../server-fixture/store/git/git-store-options.ts'
import { joinPacks } from '../../server-fixture/store/git/join-packs.ts'
import { isMaintainedByOthers } from '../../server-fixture/store/git/other-maintenance.ts'
import { PackDirectory } from '../../server-fixture/store/git/pack-directory.ts'
import { packsToJoin } from '../../server-fixture/store/git/pack-list.ts'
import type { NewObject } from '../../server-fixture/store/store.ts'
import { until } from '../support/until.ts'
import { crashPointsOf } from './crash-points.ts'
import { git, newObject, temporaryDirectory } from './support.ts'

const packsOf = (counts: readonly number[]) =>
  counts.map((objects, index) => ({ name: `pack-${index}`, objects, bytes: 0, changedAtMs: 0, isKept: true }))
const joined = (...counts: number[]) => packsToJoin(packsOf(counts)).map(({ objects }) => objects)

test('the smallest packs are joined, until each has twice as many objects as the next smaller one', () => {
  assert.deepEqual(joined(), [])
  assert.deepEqual(joined(5), [])
  assert.deepEqual(joined(1, 2, 4, 100), [])
  assert.deepEqual(joined(100, 1, 1), [1, 1])
  assert.deepEqual(joined(1, 1, 3, 100), [1, 1, 3])
  assert.deepEqual(joined(1, 1, 4, 100), [1, 1])
  assert.deepEqual(joined(60, 100, 1), [1, 60, 100])
  for (let count = 1; count < 2000; count = Math.ceil(count * 1.3)) {
    let counts = Array.from({ length: count }, (_, index) => 1 + ((index * 7919) % 97))
    const objects = counts.reduce((sum, one) => sum + one)
    for (let chosen = joined(...counts); chosen.length > 0; chosen = joined(...counts)) {
      for (const one of chosen) counts.splice(counts.indexOf(one), 1)
      counts = [...counts, chosen.reduce((sum, one) => sum + one)]
    }
    assert.ok(counts.length <= 1 + Math.log2(objects))
  }
})

test('packs of large objects are joined until they have 32 MiB, then they stay as they are', () => {
  const mebibyte = 2 ** 20
  const pack = (objects: number, bytes: number) => ({ name: 'a', objects, bytes, changedAtMs: 0, isKept: true })
  const chosen = (...packs: ReturnType<typeof pack>[]) => packsToJoin(packs).map(({ bytes }) => bytes / mebibyte)
  assert.deepEqual(chosen(pack(1, 2 * mebibyte), pack(1, 31 * mebibyte)), [2, 31])
  assert.deepEqual(chosen(pack(1, 2 * mebibyte), pack(1, 32 * mebibyte)), [])
  assert.deepEqual(chosen(pack(16, 33 * mebibyte), pack(16, 34 * mebibyte)), [])
  assert.deepEqual(chosen(pack(100, 33 * mebibyte), pack(100, 34 * mebibyte)), [33, 34])
})

const quick = { maxPacks: 100, repackPauseMs: 0, repackQuietMs: 1 }
const blobs = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    newObject('blob', `nothing points to ${index} ${'x'.repeat(500)}`, 'sha1')
  )

/** A repository with a pack for each object; no store has it open. */
async function prepared(context: TestContext, objects: readonly NewObject[]) {
  const directory = join(await temporaryDirectory(context), 'data')
  const store = await GitStore.open(directory, { housekeeping: false })
  await store.createRepository('demo', 'sha1')
  for (const object of objects) await store.putObjects('demo', [object])
  await store.close()
  const gitDir = join(directory, 'demo.git')
  const packs = join(gitDir, 'objects', 'pack')
  const names = (extension = '.pack') => readdirSync(packs).filter((name) => name.endsWith(extension))
  const reopen = async (options: GitStoreOptions = quick) => {
    const opened = await GitStore.open(directory, options)
    context.after(() => opened.close())
    await opened.readRefs('demo', ['refs/heads/main'])
    return opened
  }
  return { directory, gitDir, packs, names, reopen }
}

test('killed at any point of a join, nothing is lost and nothing is left over', async (context) => {
  const objects = blobs(3)
  const { directory, gitDir, names } = await prepared(context, objects)
  const copies = await temporaryDirectory(context)
  git(gitDir, ['multi-pack-index', 'write'])
  const inputs = names().map((name) => name.slice(0, -5))
  const points = await crashPointsOf({ directory, copies }, () =>
    joinPacks({ program: 'git', gitDir }, new PackDirectory(gitDir), {
      names: inputs,
      signal: new AbortController().signal
    })
  )
  assert.ok(points.length > 10)
  for (const point of points) {
    const left = readdirSync(join(point.directory, 'demo.git', 'objects', 'pack'))
    const areThere = inputs.every((name) => left.includes(`${name}.idx`))
    assert.ok(areThere || !left.includes('multi-pack-index'), `${point.label}: it names packs that are gone`)
    const store = await GitStore.open(point.directory, { housekeeping: false })
    const found = await store.hasObjects(
      'demo',
      objects.map(({ oid }) => oid)
    )
    await store.close()
    assert.ok(!found.includes(undefined), point.label)
    const copied = join(point.directory, 'demo.git', 'objects')
    assert.deepEqual((await readdir(copied)).toSorted(), ['info', 'pack'], point.label)
    const files = await readdir(join(copied, 'pack'))
    for (const file of files.filter((name) => name !== 'multi-pack-index'))
      assert.ok(files.includes(file.replace(/\.\w+$/, '.idx')), `${point.label}: ${file}`)
  }
  assert.equal(names().length, 1)
  assert.match(
    git(gitDir, ['verify-pack', '-s', join(gitDir, 'objects', 'pack', names()[0] as string)]).output,
    /chain length/
  )
})

test('a join that is aborted leaves everything as it was', async (context) => {
  const { gitDir, packs } = await prepared(context, blobs(3))
  const before = await readdir(packs)
  const names = before.filter((name) => name.endsWith('.pack')).map((name) => name.slice(0, -5))
  const directory = new PackDirectory(gitDir)
  await assert.rejects(joinPacks({ program: 'git', gitDir }, directory, { names, signal: AbortSignal.abort() }))
  assert.deepEqual(await readdir(packs), before)
  assert.deepEqual((await readdir(join(gitDir, 'objects'))).toSorted(), ['info', 'pack'])
})

test('a removal that fails leaves nothing that counts as being removed', async (context) => {
  const { gitDir, packs } = await prepared(context, blobs(1))
  const directory = new PackDirectory(gitDir)
  await rename(packs, `${packs}-away`)
  await assert.rejects(directory.remove(['pack-x']), { code: 'ENOENT' })
  assert.equal(directory.removals % 2, 0)
})

test('a join that fails leaves no listener at the signal', async (context) => {
  const { gitDir } = await prepared(context, blobs(1))
  const { signal } = new AbortController()
  const join = joinPacks({ program: 'git', gitDir }, new PackDirectory(gitDir), { names: ['pack-x'], signal })
  await assert.rejects(join, { reason: 'git_failed' })
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a damaged multi-pack-index keeps nobody from the repository', async (context) => {
  const { packs, reopen } = await prepared(context, blobs(1))
  await writeFile(join(packs, 'multi-pack-index'), 'MIDX\x01\x01\x04\0\0\0\0\x01PNAM'.padEnd(64, '\xff'), 'latin1')
  await reopen()
})

test('packs that others keep, or that Git is to expire, are left alone; a stale multi-pack-index goes', async (context) => {
  const { gitDir, packs, names, reopen } = await prepared(context, blobs(6))
  const [first = '', second = ''] = names().map((name) => name.slice(0, -5))
  await rm(join(packs, `${first}.keep`))
  await writeFile(join(packs, `${first}.keep`), '')
  await writeFile(join(packs, `${second}.mtimes`), '')
  git(gitDir, ['multi-pack-index', 'write'])
  await reopen()
  await until(() => names().length === 3, 'four of six packs are joined')
  await until(() => !existsSync(join(packs, 'multi-pack-index')), 'the multi-pack-index is gone')
  assert.ok(names().includes(`${first}.pack`) && names().includes(`${second}.pack`))
})

test('packs older than the grace period are given to git gc, and no others', async (context) => {
  const { packs, names, reopen } = await prepared(context, blobs(1))
  const [young = ''] = names()
  const filling = await reopen({ housekeeping: false })
  await filling.putObjects('demo', blobs(4))
  await filling.close()
  const old = names().find((name) => name !== young) ?? ''
  const keepOf = (pack: string) => pack.replace(/pack$/, 'keep')
  for (const [pack, hours] of [
    [young, 9],
    [old, 11]
  ] as const) {
    const then = Date.now() / 1000 - hours * 3600
    await utimes(join(packs, pack), then, then)
  }
  const store = await reopen({ ...quick, gracePeriodHours: 10 })
  await until(() => !names('.keep').includes(keepOf(old)), 'the .keep file of the old pack is gone')
  await store.close()
  assert.deepEqual(names('.keep'), [keepOf(young)])
  const without = await reopen({ ...quick, housekeeping: false, gracePeriodHours: 0 })
  await without.putObjects('demo', [newObject('blob', 'unkept', 'sha1')])
  assert.ok(names('.keep').length <= 1 && names().length === 3)
})

test('a damaged pack is told of, and the others are joined', async (context) => {
  const { packs, names, reopen } = await prepared(context, blobs(4))
  const [damaged = ''] = names()
  await rm(join(packs, damaged))
  await writeFile(join(packs, damaged), 'PACK damaged')
  const failures: string[] = []
  const store = await reopen({
    ...quick,
    onHousekeepingFailure: (repository, error) => failures.push(`${repository} ${(error as { reason: string }).reason}`)
  })
  await until(() => failures.length === 1, 'a failure is told')
  await store.putObjects('demo', [newObject('blob', 'later', 'sha1')])
  await store.putObjects('demo', [newObject('blob', 'and later', 'sha1')])
  await until(() => names().length === 5, 'the later packs are joined')
  assert.deepEqual(failures, ['demo git_failed'])
  assert.ok(names().includes(damaged))
})

test('no packs are joined while git gc or git maintenance works in the repository', async (context) => {
  const { gitDir, names, reopen } = await prepared(context, blobs(3))
  const collecting = join(gitDir, 'gc.pid')
  const maintaining = join(gitDir, 'objects', 'maintenance.lock')
  assert.equal(await isMaintainedByOthers(gitDir), false)
  await writeFile(maintaining, '')
  assert.equal(await isMaintainedByOthers(gitDir), true)
  await rm(maintaining)
  const gone = 2 ** 22 + 1
  for (const [pid, host, expected] of [
    [process.pid, hostname(), true],
    [gone, hostname(), false],
    [gone, 'elsewhere', true]
  ] as const) {
    await writeFile(collecting, `${pid} ${host}`)
    assert.equal(await isMaintainedByOthers(gitDir), expected)
  }
  await utimes(collecting, 1000, 1000)
  assert.equal(await isMaintainedByOthers(gitDir), false, 'a lock of long ago')
  await writeFile(collecting, `${process.pid} ${hostname()}`)
  const looks = context.mock.method(process, 'kill')
  await reopen()
  await until(() => looks.mock.callCount() > 3, 'the store has looked again and again')
  assert.equal(names().length, 3)
  await rm(collecting)
  await until(() => names().length === 1, 'the packs are joined afterwards')
})

test('the directory for unfinished packs is left alone by git prune, and made again where somebody removes it', async (context) => {
  const { gitDir, reopen } = await prepared(context, [])
  const store = await reopen({ housekeeping: false })
  const objects = join(gitDir, 'objects')
  const incoming = () => readdirSync(objects).filter((name) => name.includes('blobwire'))
  await store.putObjects('demo', blobs(1))
  assert.equal(git(gitDir, ['prune', '--expire=now']).status, 0)
  assert.equal(incoming().length, 1)
  for (const name of incoming()) await rm(join(objects, name), { recursive: true })
  const blob = newObject('blob', 'written all the same', 'sha1')
  await store.putObjects('demo', [blob])
  assert.equal(git(gitDir, ['cat-file', '-t', blob.oid]).output, 'blob\n')
})

test('a pack of the bytes of an older one gets a name of its own: .keep files never come later', async (context) => {
  const { packs, names, reopen } = await prepared(context, blobs(1))
  const [older = ''] = names('.keep')
  await rm(join(packs, older))
  const store = await reopen({ housekeeping: false })
  await store.putObjects('demo', blobs(1))
  assert.equal(names().length, 2)
  assert.ok(names('.keep').length === 1 && !names('.keep').includes(older))
})

test('a multi-pack-index that names packs which are gone is removed at the next start', async (context) => {
  const { gitDir, packs, names, reopen } = await prepared(context, blobs(2))
  git(gitDir, ['multi-pack-index', 'write'])
  await (await reopen({ housekeeping: false })).close()
  assert.ok(existsSync(join(packs, 'multi-pack-index')))
  const [gone = ''] = names()
  for (const extension of ['pack', 'idx', 'keep']) await rm(join(packs, gone.replace(/pack$/, extension)))
  await reopen({ housekeeping: false })
  assert.ok(!existsSync(join(packs, 'multi-pack-index')))
})

test('an object is found although a multi-pack-index of others names a pack of it that is gone', async (context) => {
  const { gitDir, packs, names, reopen } = await prepared(context, blobs(1))
  const [older] = names()
  const store = await reopen({ housekeeping: false, repackQuietMs: 1e6 })
  await store.putObjects('demo', blobs(1))
  const newer = names().find((name) => name !== older) ?? ''
  const later = Date.now() / 1000 + 10
  await utimes(join(packs, newer), later, later)
  git(gitDir, ['multi-pack-index', 'write'])
  for (const extension of ['pack', 'idx', 'keep']) await rm(join(packs, newer.replace(/pack$/, extension)))
  const oids = blobs(1).map(({ oid }) => oid)
  assert.deepEqual(await store.hasObjects('demo', oids), [{ kind: 'blob', size: blobs(1)[0]?.content.length }])
})
