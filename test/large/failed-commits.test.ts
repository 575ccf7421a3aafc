/** Commits of streams and files that fail, or are aborted, before the commit is made. */
import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { blobOid } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

const limits = { maxInlineBytes: 4096, chunkBytes: 2048, maxBatchBytes: 16 * 1024 }
const commit = { branch: 'main', message: 'm\n', author: { name: 'Ada', email: 'ada@example.org' } }

test('streams that nobody will read are ended', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const streams = Array.from({ length: 7 }, () => Readable.from([Buffer.alloc(5000)]))
  const changes = { missing: { file: join(fixture.data, 'missing') }, ...Object.fromEntries(streams.entries()) }
  await assert.rejects(repo.commitFiles({ ...commit, changes }), { reason: 'source_failed' })
  const unsent = Readable.from(['text'])
  await assert.rejects(repo.upload(unsent, { signal: AbortSignal.abort() }), { code: 'cancelled' })
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(streams.every(({ destroyed }) => destroyed))
  assert.ok(unsent.destroyed)
})

test('an abort while small files are read is an abort, whatever its reason', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  await mkdir(join(fixture.data, 'files'))
  const file = join(fixture.data, 'files', 'a')
  await writeFile(file, 'text')
  const controller = new AbortController()
  const reason = new Error('enough')
  // Read as the first one: its size is known, and the others follow.
  const blob = new Blob(['text'])
  Object.defineProperty(blob, 'size', {
    get() {
      controller.abort(reason)
      return 4
    }
  })
  const changes = { a: { file }, b: { content: blob } }
  const made = repo.commitFiles({ ...commit, changes }, { signal: controller.signal })
  await assert.rejects(made, { code: 'cancelled', cause: reason })
})

test('a content is not taken for the file of which it is the name, and a stream of a file has no mode', async (context) => {
  const fixture = atEnd(context, await testServer({ limits }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const file = join(fixture.data, 'a')
  const url = pathToFileURL(file)
  await writeFile(file, 'content')
  const [name, href] = [`file ${file}`, url.href]
  const changes = { a: { file }, b: { file: url }, name, href, stream: createReadStream(file) }
  await repo.commitFiles({ ...commit, changes })
  const { entries } = await repo.getTree({ revision: 'main' })
  const content = blobOid('content')
  assert.deepEqual(Object.fromEntries(entries.map(({ path, mode, oid }) => [path, [mode, oid]])), {
    a: ['100644', content],
    b: ['100644', content],
    name: ['100644', blobOid(name)],
    href: ['100644', blobOid(href)],
    stream: ['100644', content]
  })
})
