/** Mistakes about sources and options of uploads: what the user wrote, and the words that mend it. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BlobwireError } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

/** Anything, as JavaScript passes it. */
// biome-ignore lint/suspicious/noExplicitAny: these are calls that TypeScript refuses
type Loose = any

/** The source and the options, and the words of the message behind method and endpoint. */
type Mistake = readonly [source: unknown, options: object | undefined, words: RegExp]

const here = fileURLToPath(import.meta.url)

const sources: readonly Mistake[] = [
  [undefined, undefined, /^source: is required$/],
  [null, undefined, /^source: must be a Uint8Array, a string, a Blob, \{ file \}, a stream, .*; not null$/],
  [7, undefined, /^source: .*; not 7; use String\(value\)$/],
  [Promise.resolve('x'), undefined, /^source: .* not a Promise; is an await missing\?$/],
  [new Response('x'), undefined, /^source: .* not a Response; use value\.body$/],
  [new ArrayBuffer(2), undefined, /^source: .*; use new Uint8Array\(buffer\)$/],
  [
    new URL(import.meta.url),
    undefined,
    /^source: .* not an URL; of a file, use \{ file: url \}$|^source: .*\{ file: url \}$/
  ],
  [{ path: 'a' }, undefined, /^source: .* not a plain object; of a file, use \{ file: path \}$/],
  [{ file: '' }, undefined, /^source\.file: must be the path of a file, or a file: URL, not ""$/],
  [{ file: 7 }, undefined, /^source\.file: must be the path of a file/],
  [{ file: new URL('https://example.org/a') }, undefined, /^source\.file: .*; of what is no file, give a stream/],
  [{ file: here, size: 7 }, undefined, /^source\.size: unknown key beside file; options are in the last argument$/],
  ['x', { onprogress: () => undefined }, /^onprogress: unknown option; did you mean onProgress\?/],
  ['x', { onProgress: true }, /^onProgress: must be a function, not true$/],
  ['x', { onResumeToken: 'x' }, /^onResumeToken: must be a function, not "x"$/],
  ['x', { size: -1 }, /^size: must be a number of bytes, 0 or more, not -1$/],
  ['x', { size: 2 }, /^size: must be the size of the source, 1, not 2$/],
  ['x', { oid: 'main' }, /^oid: must be /],
  ['x', { oid: '1'.repeat(40) }, /^oid: the content has the oid [0-9a-f]{40}, not 1{40}$/],
  ['x', { stallTimeoutMs: 0 }, /^stallTimeoutMs: must be /],
  ['x', { resume: 'x' }, /^resume: must be a token that onResumeToken was called with$/],
  ['x', { resume: 'u1.id.7..other' }, /^resume: is the token of an upload to the repository "other"$/]
]

test('wrong sources and options of uploads are refused with what is right, and the line of the call', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  await client.createRepository('demo')
  const repo: Loose = client.repository('demo')
  const { calls } = client.stats()
  for (const [source, options, words] of sources) {
    const error = await repo.upload(source, options).then(
      () => assert.fail(`taken: ${words}`),
      (reason: unknown) => reason
    )
    assert.ok(error instanceof BlobwireError)
    const text = error.message.replace(/^upload at \S+: /, '')
    assert.notEqual(text, error.message, error.message)
    assert.match(text, words)
    assert.equal(error.code, 'invalid_argument')
    assert.match(String(error.stack), /mistaken-uploads\.test\.ts/)
  }
  // Capabilities and one small blob, whose oid was another than the caller told.
  assert.ok(client.stats().calls - calls <= 2, `${client.stats().calls - calls}`)
})

test('contents of storeBlob that upload would take are pointed there', async (context) => {
  const fixture = atEnd(context, await testServer())
  const repo: Loose = fixture.client().repository('demo')
  const mistakes: readonly [content: unknown, words: RegExp][] = [
    [{ file: 'a' }, / not a plain object; of a file, use upload\(\{ file \}\)$/],
    [Readable.from(['x']), / not an instance of Readable; read the stream first, or use upload\(stream\)$/],
    [new ReadableStream(), / not a ReadableStream; read the stream first: .*, or use upload\(stream\)$/]
  ]
  for (const [content, message] of mistakes) await assert.rejects(repo.storeBlob(content), { message })
})

test('a source that cannot be read says so', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-mistakes-'))
  context.after(() => rm(directory, { recursive: true }))
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  await client.createRepository('demo')
  const repo: Loose = client.repository('demo')
  const used = Readable.from(['x'])
  await buffer(used)
  const destroyed = Readable.from(['x']).destroy()
  const locked = new Blob(['x']).stream()
  locked.getReader()
  const failures: readonly [source: unknown, words: RegExp][] = [
    [{ file: join(directory, 'none') }, /: the file ".*none" cannot be opened \(ENOENT\)$/],
    [{ file: directory }, /: the file ".*" cannot be opened \(EISDIR\)$/],
    [used, /: the stream was read or destroyed before$/],
    [destroyed, /: the stream was read or destroyed before$/],
    [locked, /: the source failed: .*lock/i],
    [() => 'x', /: the function of the source returned no stream$/],
    [Readable.from([{ a: 1 }]), /: the source gave \{"a":1\}, where it gives Uint8Arrays or strings$/]
  ]
  for (const [source, words] of failures) {
    await assert.rejects(repo.upload(source), { code: 'aborted', reason: 'source_failed', message: words })
  }
  const progress = { onProgress: () => assert.fail('in the listener') }
  await assert.rejects(repo.upload('x', progress), {
    code: 'aborted',
    message: /: onProgress\(\) failed: in the listener$/
  })
})
