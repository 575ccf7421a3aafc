/** Blobs that the Git store reads deflated, as packs have them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { DeflatedReader } from '../../server-fixture/store/git/deflated-reader.ts'
import { hashObject, type ObjectFormat } from '../../src/git/oid.ts'
import { bytesOf, temporaryDirectory } from '../files/tree.ts'

/** A repository whose objects git has packed, some of them as deltas. */
async function packed(context: TestContext, format: ObjectFormat) {
  const directory = await temporaryDirectory(context)
  const gitDir = join(directory, 'r.git')
  const git = (input: Uint8Array | string, ...args: string[]) =>
    execFileSync('git', [`--git-dir=${gitDir}`, ...args], { input, encoding: 'utf8' }).trim()
  git('', 'init', '--quiet', '--bare', `--object-format=${format}`)
  const text = Buffer.from(bytesOf(20_000, 1)).toString('base64')
  const contents = new Map<string, Uint8Array>()
  const add = (content: Uint8Array) => contents.set(git(content, 'hash-object', '-w', '--stdin'), content)
  for (let index = 0; index < 6; index++) add(Buffer.from(`${text}\n${index}`))
  for (let length = 0; length < 120; length += 9) add(bytesOf(length * length, length))
  git([...contents.keys()].join('\n'), 'pack-objects', '-q', join(gitDir, 'objects/pack/pack'))
  const reader = new DeflatedReader(join(gitDir, 'objects/pack'), format)
  context.after(() => reader.close())
  return { gitDir, git, contents, reader }
}

for (const format of ['sha1', 'sha256'] as const) {
  test(`${format}: blobs are those of their oids; deltas, large, missing and other objects are left to git`, async (context) => {
    const { gitDir, git, contents, reader } = await packed(context, format)
    const oids = [...contents.keys()]
    const found = await reader.read(oids, 1e6)
    for (const [index, blob] of found.entries()) {
      if (blob === undefined) continue
      const content = inflateSync(blob.deflated)
      assert.equal(hashObject('blob', content, format), oids[index])
      assert.equal(blob.size, content.length)
    }
    const [index = ''] = (await readdir(join(gitDir, 'objects/pack'))).filter((name) => name.endsWith('.idx'))
    const listing = git('', 'verify-pack', '-v', join(gitDir, 'objects/pack', index ?? ''))
    // Behind the place of a delta are its depth and its base.
    const deltas = [...listing.matchAll(/^([0-9a-f]+) blob +(?:\d+ ){4}[0-9a-f]+$/gm)].map((match) => match[1] ?? '')
    assert.ok(deltas.length > 0)
    const left = oids.filter((_, at) => found[at] === undefined)
    assert.deepEqual(left.toSorted(), deltas.toSorted())
    const bounded = await reader.read(oids, 100)
    for (const blob of bounded) assert.ok((blob?.size ?? 0) <= 100)
    const tree = git('', 'mktree')
    git(tree, 'pack-objects', '-q', join(gitDir, 'objects/pack/pack'))
    assert.deepEqual(await reader.read([tree, 'f'.repeat(tree.length)], 1e6), [undefined, undefined])
  })
}

test('packs that come are found, and what packs had that have gone is not', async (context) => {
  const { gitDir, git, reader } = await packed(context, 'sha1')
  const packs = join(gitDir, 'objects/pack')
  const oid = git('new', 'hash-object', '-w', '--stdin')
  assert.deepEqual(await reader.read([oid], 100), [undefined])
  git(oid, 'pack-objects', '-q', join(packs, 'pack'))
  const [blob] = await reader.read([oid], 100)
  assert.equal(String(inflateSync(blob?.deflated ?? '')), 'new')
  for (const file of await readdir(packs)) await rm(join(packs, file))
  assert.deepEqual(await reader.read([oid], 100), [undefined])
})

test('an index that is cut off, and a pack that is, are left to git', async (context) => {
  const { gitDir, contents, reader } = await packed(context, 'sha1')
  const packs = join(gitDir, 'objects/pack')
  for (const extension of ['.pack', '.idx']) {
    const [file = ''] = (await readdir(packs)).filter((name) => name.endsWith(extension))
    await truncate(join(packs, file), extension === '.pack' ? 1000 : 0)
    await reader.close()
    const found = await reader.read([...contents.keys()], 1e6)
    assert.ok(found.every((blob) => blob === undefined))
  }
})

test('of a blob that is too large nothing is read; one of just the size is, though it deflates to more', async (context) => {
  const { gitDir, git, reader } = await packed(context, 'sha1')
  const size = 2 ** 20
  const oids = [size, size + 4096].map((length) => git(randomBytes(length), 'hash-object', '-w', '--stdin'))
  git(oids.join('\n'), 'pack-objects', '-q', '--window=0', join(gitDir, 'objects/pack/pack'))
  const allocations = context.mock.method(Buffer, 'allocUnsafeSlow')
  const [fits, large] = await reader.read(oids, size)
  assert.ok(fits && fits.deflated.length > size)
  assert.equal(large, undefined)
  // Node itself allocates small ones, too.
  const allocated = allocations.mock.calls.map(({ arguments: [bytes] }) => bytes)
  assert.ok(allocated.some((bytes) => bytes > size))
  assert.ok(allocated.every((bytes) => bytes < size + 2048))
})
