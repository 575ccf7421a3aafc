/** `checkout` of so many files that threads write them. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lstat, mkdir, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { GitStore } from '../../server-fixture/store/git/git-store.ts'
import { BlobwireError, type Mode, type Repository, type TransportName } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'
import { author, bytesOf, temporaryDirectory } from './tree.ts'

const transports: Readonly<Record<'memory' | 'git', readonly TransportName[]>> = {
  memory: ['msgpack'],
  git: ['msgpack', 'grpc']
}
const name = (index: number) => `d${index % 70}/e${index % 3}/f${index}`

/** 520 files in 140 directories; some have the content of others, one is executable, one a link. */
async function commitMany(repo: Repository): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  for (let index = 0; index < 518; index++) {
    contents.set(
      name(index),
      Buffer.from(`${index % 400} ${Buffer.from(bytesOf(index % 400, index % 400)).toString('hex')}`)
    )
  }
  contents.set('run', Buffer.from('#!'))
  contents.set('link', Buffer.from('d1/e1/f1'))
  const modes: Record<string, Mode> = { run: '100755', link: '120000' }
  const stored = await Promise.all([...contents.values()].map((content) => repo.storeBlob(content)))
  const entries = [...contents.keys()].map((path, index) => {
    return { path, mode: modes[path] ?? ('100644' as const), oid: stored[index]?.oid ?? '' }
  })
  const { oid: tree } = await repo.storeTree(entries)
  const commit = await repo.storeCommit({ tree, author, message: 'Many\n' })
  await repo.updateRefs([{ name: 'refs/heads/main', expectedOid: null, newOid: commit.oid }])
  return contents
}

async function served(context: TestContext, store: 'memory' | 'git') {
  const server = atEnd(context, await testServer({ store, gitStore: { housekeeping: false } }))
  const repo = server.client().repository('demo')
  await repo.createRepository()
  return { server, contents: await commitMany(repo), directory: await temporaryDirectory(context) }
}

async function assertWritten(directory: string, contents: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [path, content] of contents) {
    const found =
      path === 'link' ? Buffer.from(await readlink(join(directory, path))) : await readFile(join(directory, path))
    assert.deepEqual(found, content, path)
  }
  assert.equal((await lstat(join(directory, 'run'))).mode & 0o111, 0o111 & ~process.umask())
  assert.deepEqual(
    (await readdir(directory)).filter((file) => file.startsWith('.blobwire')),
    []
  )
}

for (const store of ['memory', 'git'] as const) {
  test(`${store} store: the same files over each transport`, async (context) => {
    const { server, contents, directory } = await served(context, store)
    if (store === 'git') {
      // As git packs them, with deltas.
      execFileSync('git', [`--git-dir=${join(server.data, 'demo.git')}`, 'repack', '-adfq', '--pack-kept-objects'])
    }
    const deflated = context.mock.method(GitStore.prototype, 'readDeflated')
    const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0)
    for (const transport of transports[store]) {
      const client = server.client({ transport })
      const target = join(directory, transport)
      let last = 0
      const onProgress = ({ transferredBytes }: { transferredBytes: number }) => {
        last = transferredBytes
      }
      const result = await client.repository('demo').checkout(target, { onProgress })
      assert.deepEqual([result.written, result.bytes, last], [contents.size, bytes, bytes])
      await assertWritten(target, contents)
    }
    // Each content is read once for each transport; those that are deltas in the pack are not read so.
    const read = await Promise.all(deflated.mock.calls.map(({ result }) => result))
    const found = read.flat().filter((blob) => blob !== undefined).length
    assert.ok(store === 'memory' ? found === 0 : found > 200 && found <= 402 * 2, String(found))
  })
}

test('a content that is not that of its oid is told, deflated or not', async (context) => {
  const { server, directory } = await served(context, 'git')
  const original = GitStore.prototype.readDeflated
  context.after(() => {
    GitStore.prototype.readDeflated = original
  })
  const wrong = Buffer.from('wrong')
  const lies = [
    { size: 5, deflated: deflateSync(wrong) },
    { size: 5, deflated: wrong }
  ]
  for (const [index, lie] of lies.entries()) {
    GitStore.prototype.readDeflated = async (_repository, oids) => oids.map(() => lie)
    const checkout = server
      .client()
      .repository('demo')
      .checkout(join(directory, `${index}`))
    await assert.rejects(checkout, { code: 'data_loss', reason: 'integrity' })
    assert.deepEqual(await readdir(join(directory, `${index}`)), [])
  }
})

test('a file that cannot be written is named, with the number of those before it', async (context) => {
  const { server, directory } = await served(context, 'memory')
  // Somebody puts a directory where a file belongs, when the comparison is done.
  const onProgress = ({ phase }: { phase: string }) => {
    if (phase === 'write' && !made) made = mkdir(join(directory, 'run'), { recursive: true })
  }
  let made: Promise<unknown> | undefined
  const checkout = server.client().repository('demo').checkout(directory, { onProgress })
  await assert.rejects(checkout, (error) => {
    assert.ok(error instanceof BlobwireError)
    assert.equal(error.reason, 'sink_failed')
    assert.match(
      error.message,
      /could not write "run": EISDIR[^;]*; \d+ files were written and 0 entries removed before$/
    )
    return true
  })
})
