import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodePack } from '../../server-fixture/store/git/pack-encoder.ts'
import { objectFormats } from '../../src/git/oid.ts'
import { randomNumbers } from '../support/random.ts'
import { git, newCommit, newObject, temporaryDirectory } from './support.ts'

for (const format of objectFormats) {
  test(`git index-pack and verify-pack read a large pack, whose contents are stored (${format})`, async (context) => {
    const gitDir = await temporaryDirectory(context)
    spawnSync('git', ['init', '--quiet', '--bare', `--object-format=${format}`, gitDir])
    // A stored block has at most 65,535 bytes.
    const sizes = [0, 1, 5000, 65_534, 65_535, 65_536, 131_070, 131_071, 900_000]
    const fills: (() => number)[] = [() => 255, () => 97]
    const objects = fills.flatMap((fill) =>
      sizes.slice(1).map((size) => newObject('blob', Uint8Array.from({ length: size }, fill), format))
    )
    objects.push(newObject('blob', '', format), ...newCommit('packed', format))
    const { pieces, hash, isStored } = await encodePack(objects, format)
    const pack = Buffer.concat(pieces)
    assert.ok(isStored)
    assert.equal(pack.subarray(-hash.length / 2).toString('hex'), hash)
    assert.ok(pack.length > 2 * sizes.reduce((sum, size) => sum + size))
    const file = join(gitDir, 'test.pack')
    await writeFile(file, pack)
    assert.equal(git(gitDir, ['index-pack', '--strict', file]).status, 0)
    const listed = git(gitDir, ['verify-pack', '-v', join(gitDir, 'test.idx')]).output
    for (const { oid, kind, content } of objects)
      assert.match(listed, new RegExp(`^${oid} ${kind} +${content.length} `, 'm'))
  })

  test(`git index-pack and verify-pack read a pack of every kind and size (${format})`, async (context) => {
    const gitDir = await temporaryDirectory(context)
    spawnSync('git', ['init', '--quiet', '--bare', `--object-format=${format}`, gitDir])
    const random = randomNumbers(1)
    // 255 | 256 is where deflate begins, 16,384 where it moves to other threads; 16 and 2,048 are where sizes grow.
    const sizes = [0, 1, 15, 16, 127, 128, 255, 256, 257, 2047, 2048, 16_383, 16_384, 300_000]
    const fills: (() => number)[] = [() => 255, () => random(256)]
    const objects = fills.flatMap((fill) =>
      sizes.slice(1).map((size) => newObject('blob', Uint8Array.from({ length: size }, fill), format))
    )
    const commit = newCommit('packed', format)
    const tag = `object ${commit[1]?.oid}\ntype commit\ntag v1\ntagger A <a@example.com> 1 +0000\n\nx\n`
    objects.push(newObject('blob', '', format), ...commit, newObject('tag', tag, format))

    const file = join(gitDir, 'test.pack')
    const { pieces } = await encodePack(objects, format)
    await writeFile(file, Buffer.concat(pieces))
    assert.equal(git(gitDir, ['index-pack', '--strict', file]).status, 0)
    const listed = git(gitDir, ['verify-pack', '-v', join(gitDir, 'test.idx')]).output
    for (const { oid, kind, content } of objects) {
      const line = listed.split('\n').find((candidate) => candidate.startsWith(oid)) ?? ''
      assert.match(line, new RegExp(`^${oid} ${kind} +${content.length} `))
    }
  })
}

test('a pack without objects has the bytes of git pack-objects', async (context) => {
  const gitDir = await temporaryDirectory(context)
  spawnSync('git', ['init', '--quiet', '--bare', gitDir])
  const { pieces } = await encodePack([], 'sha1')
  const written = spawnSync('git', [`--git-dir=${gitDir}`, 'pack-objects', '--stdout', '--quiet'], { input: '' })
  assert.deepEqual(Buffer.concat(pieces), written.stdout)
})
