/** Git as the judge of large blobs: their packs, and what other gits make of them. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { joinPacks } from '../../server-fixture/store/git/join-packs.ts'
import { openPackedBlob } from '../../server-fixture/store/git/large/packed-blob.ts'
import { StreamedObject } from '../../server-fixture/store/git/large/streamed-object.ts'
import { PackDirectory } from '../../server-fixture/store/git/pack-directory.ts'
import type { StoredBlob } from '../../server-fixture/store/large-content.ts'
import { hashObject, type ObjectFormat, objectFormats } from '../../src/git/oid.ts'
import { until } from '../support/until.ts'
import { git, openGitStore, temporaryDirectory } from './support.ts'

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
  try {
    for await (const chunk of object.read(start, end ?? object.size)) chunks.push(chunk)
  } finally {
    await object.close()
  }
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
    const packs = await packsIn(gitDir)
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

/** A commit with the blob, so that a clone takes it. */
function commitBlob(gitDir: string, oid: string): void {
  const tree = run(gitDir, ['mktree'], `100644 blob ${oid}\tlarge\n`).trim()
  const author = ['-c', 'user.name=A', '-c', 'user.email=a@example.com']
  const commit = run(gitDir, [...author, 'commit-tree', tree, '-m', 'large']).trim()
  run(gitDir, ['update-ref', 'refs/heads/main', commit])
}

/** Lets other processes take the packs as if they were old. */
async function release(gitDir: string): Promise<void> {
  const packs = join(gitDir, 'objects', 'pack')
  for (const name of await readdir(packs)) if (name.endsWith('.keep')) await rm(join(packs, name))
}

const packsIn = async (gitDir: string) =>
  (await readdir(join(gitDir, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'))

test('gc, repack and clone keep the blob, which is then read from wherever it is', async (context) => {
  const { store, directory, gitDir } = await newStore(context, 'sha1')
  const content = randomBytes(3_000_001)
  const { oid } = await upload(store, content, undefined)
  const other = randomBytes(1_200_000)
  const { oid: otherOid } = await upload(store, other, other.length)
  commitBlob(gitDir, oid)
  const check = async (said: string) => {
    assert.ok(content.equals(await readAll(store, oid)), said)
    assert.ok(content.subarray(1_000_000, 1_000_010).equals(await readAll(store, oid, 1_000_000, 1_000_010)), said)
    assert.doesNotMatch(run(gitDir, ['fsck', '--strict', '--no-dangling']), /missing|corrupt|error|bad/)
  }
  run(gitDir, ['gc', '--prune=now', '--quiet'])
  assert.deepEqual((await packsIn(gitDir)).length, 3, 'new packs are left alone')
  await check('gc')
  const reading = await store.openObject('demo', oid)
  const unreached = await store.openObject('demo', otherOid)
  await release(gitDir)
  run(gitDir, ['repack', '-ad', '--quiet'])
  assert.equal((await packsIn(gitDir)).length, 1)
  await check('repack -ad')
  const copied = await openPackedBlob(join(gitDir, 'objects', 'pack'), oid, 'sha1')
  assert.equal(copied?.size, content.length, 'copied as it was')
  await copied?.close()
  run(gitDir, ['repack', '-adfF', '--quiet'])
  await check('repack -adfF')
  assert.equal(await openPackedBlob(join(gitDir, 'objects', 'pack'), oid, 'sha1'), undefined, 'compressed anew')
  for (const [object, bytes] of [
    [reading, content],
    [unreached, other]
  ] as const) {
    const chunks: Uint8Array[] = []
    for await (const chunk of object?.read(5, bytes.length) ?? []) chunks.push(chunk)
    assert.ok(bytes.subarray(5).equals(Buffer.concat(chunks)), 'one that is open stays readable')
    await object?.close()
  }
  assert.equal(await store.openObject('demo', otherOid), undefined, 'pruned')
  const clone = join(directory, 'clone')
  run(gitDir, ['clone', '--quiet', '--bare', '--no-local', gitDir, clone])
  assert.doesNotMatch(run(clone, ['fsck', '--strict']), /missing|corrupt|error|bad/)
})

test('packs of uploads that are joined have their blobs as they were', async (context) => {
  const { store, gitDir } = await newStore(context, 'sha1')
  const contents = [randomBytes(1_300_000)]
  contents.push(Buffer.concat([contents[0] as Buffer, Buffer.from('like the first')]))
  const oids: string[] = []
  for (const content of contents) oids.push((await upload(store, content, content.length)).oid)
  const names = (await packsIn(gitDir)).map((name) => name.slice(0, -5))
  const signal = new AbortController().signal
  await joinPacks({ program: 'git', gitDir }, new PackDirectory(gitDir), { names, signal })
  assert.equal((await packsIn(gitDir)).length, 1)
  for (const [index, oid] of oids.entries()) {
    const object = await openPackedBlob(join(gitDir, 'objects', 'pack'), oid, 'sha1')
    assert.equal(object?.size, contents[index]?.length)
    await object?.close()
    assert.ok(contents[index]?.equals(await readAll(store, oid)))
  }
})

test('a bit that flipped on disk, a swapped block and a lost end are told, in ranges too', async (context) => {
  const { store, gitDir } = await newStore(context, 'sha1')
  const content = randomBytes(600_000)
  const { oid } = await upload(store, content, content.length)
  const [name = ''] = await packsIn(gitDir)
  const path = join(gitDir, 'objects', 'pack', name)
  const whole = await readFile(path)
  const damaged = { code: 'data_loss', reason: 'integrity' }
  const write = async (change: (bytes: Buffer) => Buffer) => writeFile(path, change(Buffer.from(whole)))
  await write((bytes) => bytes.fill((bytes[300_000] ?? 0) ^ 4, 300_000, 300_001))
  await assert.rejects(readAll(store, oid, 290_000, 290_010), damaged)
  await assert.rejects(readAll(store, oid), damaged)
  assert.ok(content.subarray(0, 200_000).equals(await readAll(store, oid, 0, 200_000)), 'other groups are whole')
  await write((bytes) => {
    const [one, other] = [Buffer.from(bytes.subarray(200, 16_000)), Buffer.from(bytes.subarray(17_000, 32_800))]
    bytes.set(other, 200)
    bytes.set(one, 17_000)
    return bytes
  })
  await assert.rejects(readAll(store, oid, 0, 10), damaged)
  await write((bytes) => bytes.subarray(0, 500_000))
  await assert.rejects(readAll(store, oid, 599_990, 600_000), damaged)
})

test('an object behind 4 GiB of a pack is found by its index', async (context) => {
  const { store, directory, gitDir } = await newStore(context, 'sha1')
  const content = randomBytes(300_000)
  const { oid } = await upload(store, content, content.length)
  const source = join(gitDir, 'objects', 'pack')
  const [name = ''] = await packsIn(gitDir)
  const object = (await readFile(join(source, name))).subarray(12)
  const index = await readFile(join(source, name.replace('.pack', '.idx')))
  const packs = join(directory, 'packs')
  await mkdir(packs)
  for (const position of [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 5, 5 * 2 ** 30]) {
    const pack = await open(join(packs, 'pack-a.pack'), 'w')
    await pack.write(object, 0, object.length, position)
    await pack.close()
    // The table of small positions, then that of large ones, is before the two checksums.
    const numbers = Buffer.alloc(position < 2 ** 31 ? 4 : 12)
    numbers.writeUInt32BE(position < 2 ** 31 ? position : 2 ** 31, 0)
    if (numbers.length > 4) numbers.writeBigUInt64BE(BigInt(position), 4)
    const moved = Buffer.concat([index.subarray(0, -44), numbers, index.subarray(-40)])
    await writeFile(join(packs, 'pack-a.idx'), moved)
    const found = await openPackedBlob(packs, oid, 'sha1')
    const chunks: Uint8Array[] = []
    for await (const chunk of found?.read(0, content.length) ?? []) chunks.push(chunk)
    await found?.close()
    assert.ok(content.equals(Buffer.concat(chunks)), String(position))
    await rm(join(packs, 'pack-a.pack'))
  }
})

test('objects of other forms and kinds are read in parts, however early the reader leaves', async (context) => {
  const { store, gitDir } = await newStore(context, 'sha1')
  const content = Buffer.concat([randomBytes(900_000), Buffer.alloc(900_000)])
  const loose = join(gitDir, 'content')
  await writeFile(loose, content)
  const oid = run(gitDir, ['hash-object', '-w', loose]).trim()
  const entries = Array.from({ length: 12_000 }, (_, index) => `100644 blob ${oid}\tname-${index}`)
  const tree = run(gitDir, ['mktree'], `${entries.join('\n')}\n`).trim()
  assert.ok(content.equals(await readAll(store, oid)))
  for (const start of [0, 100_000, 1_000_000]) {
    const object = await store.openObject('demo', oid)
    for (const end of [start + 1, start + 70_000]) {
      const chunks: Uint8Array[] = []
      for await (const chunk of object?.read(start, end) ?? []) chunks.push(chunk)
      assert.ok(content.subarray(start, end).equals(Buffer.concat(chunks)))
    }
    for await (const chunk of object?.read(0, content.length) ?? []) if (chunk.length > 0) break
    await object?.close()
  }
  const bytes = await readAll(store, tree)
  assert.equal(hashObject('tree', bytes, 'sha1'), tree)
})

test('an object that is closed while git waits to write more of it', async (context) => {
  const directory = await temporaryDirectory(context)
  const program = join(directory, 'git')
  const ready = join(directory, 'ready')
  // The first bytes fit the pipe and what is read ahead, the others do not.
  await writeFile(program, `#!/bin/sh\nhead -c 100000 /dev/zero\n: >'${ready}'\nexec head -c 1000000 /dev/zero\n`, {
    mode: 0o755
  })
  // Whether it waits already when the object is closed is not to be seen.
  for (let times = 0; times < 10; times++) {
    const object = new StreamedObject({ program, gitDir: directory }, '1'.repeat(40), { kind: 'blob', size: 1_100_000 })
    await until(() => existsSync(ready), 'git has written')
    await object.close()
    await rm(ready)
  }
})
