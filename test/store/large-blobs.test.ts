/** Git as the judge of large blobs: their packs, and what other gits make of them. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { GitStore } from '../../server-fixture/store/git/git-store.ts'
import type { StoredBlob } from '../../server-fixture/store/large-content.ts'
import { hashObject, type ObjectFormat, objectFormats } from '../../src/git/oid.ts'
import { git, openGitStore } from './support.ts'

const untold = { oid: undefined, sha256: undefined }
const groupBytes = 128 * 1024
/** Around blocks, groups and buffers. */
const sizes = [0, 1, 16_383, 16_384, 16_385, groupBytes - 1, groupBytes, groupBytes + 1, 2 * groupBytes, 700_001]

async function upload(store: GitStore, content: Uint8Array, size: number | undefined): Promise<StoredBlob> {
  const writer = await store.openUpload('demo', createHash('sha1').update(content).digest('hex'), size)
  for (let at = 0; at < content.length; at += 100_000) await writer.write(content.subarray(at, at + 100_000))
  const blob = await writer.finish(untold)
  await writer.release()
  return blob
}

async function newStore(context: TestContext, format: ObjectFormat) {
  const { store, directory } = await openGitStore(context, { housekeeping: false })
  await store.createRepository('demo', format)
  return { store, directory, gitDir: join(directory, 'demo.git') }
}

function run(gitDir: string, args: readonly string[], input = ''): string {
  const { status, output } = git(gitDir, args, input)
  assert.equal(status, 0, `git ${args.join(' ')}: ${output}`)
  return output
}

async function readAll(store: GitStore, oid: string, start = 0, end?: number): Promise<Buffer> {
  const object = await store.openObject('demo', oid)
  assert.ok(object)
  const chunks: Uint8Array[] = []
  for await (const chunk of object.read(start, end ?? object.size)) chunks.push(chunk)
  await object.close()
  return Buffer.concat(chunks)
}

for (const format of objectFormats) {
  test(`git reads the packs of uploads, and takes them for well-formed, ${format}`, async (context) => {
    const { store, gitDir } = await newStore(context, format)
    const oids: string[] = []
    for (const size of sizes) {
      for (const isKnown of [true, false]) {
        const content = randomBytes(size)
        const oid = hashObject('blob', content, format)
        assert.deepEqual(await upload(store, content, isKnown ? size : undefined), {
          oid,
          size,
          created: size > 0 || isKnown
        })
        if (!oids.includes(oid)) oids.push(oid)
        assert.ok(content.equals(await readAll(store, oid)), `${size}`)
      }
    }
    const packs = (await readdir(join(gitDir, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'))
    assert.equal(packs.length, oids.length)
    for (const pack of packs) {
      const path = join(gitDir, 'objects', 'pack', pack)
      run(gitDir, ['verify-pack', path])
      run(gitDir, ['index-pack', '--strict', `--index-version=2`, '-o', join(gitDir, 'judged.idx'), path])
    }
    assert.doesNotMatch(run(gitDir, ['fsck', '--strict', '--no-dangling']), /missing|corrupt|error|bad/)
    const answers = run(gitDir, ['cat-file', '--batch-check'], `${oids.join('\n')}\n`)
    assert.doesNotMatch(answers, /missing/)
  })
}
