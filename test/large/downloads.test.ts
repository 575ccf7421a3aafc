/** Downloads from a server, over all transports and from both stores. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { BlobwireError } from '../../src/index.ts'
import { largeContent, largeServer, storeLarge } from '../support/large-blobs.ts'

const content = largeContent()
const transports = ['json', 'msgpack', 'grpc'] as const

async function temporary(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-download-'))
  context.after(() => rm(directory, { recursive: true }))
  return directory
}

for (const store of ['memory', 'git'] as const) {
  test(`a large blob in every form, ${store} store`, async (context) => {
    const fixture = await largeServer(context, { store })
    const oid = await storeLarge(fixture, content)
    const directory = await temporary(context)
    for (const transport of transports) {
      const repo = fixture.client({ transport }).repository('demo')
      assert.deepEqual(await repo.download(oid).bytes(), content, transport)
      const pieces = []
      for await (const chunk of repo.download({ oid })) pieces.push(chunk)
      assert.ok(pieces.length > 1)
      assert.ok(Buffer.concat(pieces).equals(content))
      assert.ok(Buffer.from(await new Response(repo.download(oid).stream()).arrayBuffer()).equals(content))
      const stream = repo.download(oid).toNodeStream() as unknown as Readable
      assert.ok(Buffer.concat(await stream.toArray()).equals(content))
      const path = join(directory, transport)
      assert.deepEqual(await repo.download(oid).toFile(path), { oid, size: content.length })
      assert.ok((await readFile(path)).equals(content))
      assert.deepEqual(await repo.download(oid).info(), { oid, size: content.length, start: 0, end: content.length })
    }
    assert.deepEqual(await readdir(directory), [...transports].sort())
  })

  test(`ranges, in one stream and in parts, ${store} store`, async (context) => {
    const fixture = await largeServer(context, { store })
    const oid = await storeLarge(fixture, content)
    const edge = content.length
    for (const transport of transports) {
      const repo = fixture.client({ transport }).repository('demo')
      for (const [start, end] of [
        [0, 1],
        [0, edge],
        [0, edge + 1],
        [1, undefined],
        [65_536, 131_072],
        [edge - 1, undefined],
        [edge, undefined],
        [edge, edge + 5],
        [100, 100]
      ] as const) {
        for (const parallel of [1, 3]) {
          const download = repo.download(oid, { start, end, parallel })
          assert.deepEqual(await download.bytes(), content.slice(start, end), `${transport} ${start} ${end}`)
          assert.deepEqual(await download.info(), { oid, size: edge, start, end: Math.min(end ?? edge, edge) })
        }
      }
      await assert.rejects(repo.download(oid, { start: edge + 1 }).bytes(), (error: BlobwireError) => {
        assert.equal(error.code, 'out_of_range')
        assert.match(
          error.message,
          /^download at \S+: start: the range begins at byte 500001, and the blob has 500000 bytes$/
        )
        return true
      })
    }
  })
}

test('by revision and path, small and empty blobs too; what is not there is told', async (context) => {
  const fixture = await largeServer(context)
  const changes = { 'a.bin': content.subarray(0, 60_000), 'dir/ü?#%.txt': 'small', empty: '' }
  const author = { name: 'Ada', email: 'ada@example.org' }
  const client = fixture.client()
  await client.commitFiles('demo', { branch: 'feature/x', changes, message: 'm\n', author })
  for (const transport of transports) {
    const repo = fixture.client({ transport }).repository('demo')
    for (const [path, expected] of Object.entries(changes)) {
      const download = repo.download({ revision: 'feature/x', path })
      const bytes = await download.bytes()
      assert.deepEqual(Buffer.from(bytes), Buffer.from(expected), `${transport} ${path}`)
    }
    for (const [address, reason] of [
      ['ab'.repeat(20), 'object'],
      [{ revision: 'none', path: 'a.bin' }, 'revision'],
      [{ revision: 'feature/x', path: 'none' }, 'path']
    ] as const) {
      const error = await repo
        .download(address)
        .bytes()
        .catch((reason) => reason)
      assert.ok(error instanceof BlobwireError)
      assert.deepEqual([error.code, error.reason, error.method], ['not_found', reason, 'download'], transport)
      assert.match(error.stack ?? '', /downloads\.test\.ts/)
    }
  }
})
