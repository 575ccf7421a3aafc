/** `readFiles`: which files it gives, in which order, and how far ahead it reads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blobOid, type FilesInput, type Repository } from '../../src/index.ts'
import { author, bytesOf, commitAllKinds, fixture, inlineBytes, storeTree } from './tree.ts'

async function pathsOf(repo: Repository, input: FilesInput): Promise<string[]> {
  const paths: string[] = []
  for await (const { path } of repo.readFiles(input)) paths.push(path)
  return paths
}

for (const transport of ['msgpack', 'grpc'] as const) {
  test(`${transport}: every file comes in the order of the tree, with mode, size and content, a large one as a stream`, async (context) => {
    const { repo } = await fixture(context, { transport })
    const contents = await commitAllKinds(repo)
    const found: string[] = []
    for await (const file of repo.readFiles({ revision: 'main' })) {
      const expected = contents.get(file.path) as Uint8Array
      found.push(`${file.mode} ${file.path}`)
      assert.equal(file.size, expected.length, file.path)
      assert.equal(file.oid, blobOid(expected))
      assert.equal(file.content === undefined, expected.length > inlineBytes)
      assert.deepEqual(Buffer.from(await file.bytes()), Buffer.from(expected))
      const chunks: Uint8Array[] = []
      for await (const chunk of file.stream()) chunks.push(chunk)
      assert.deepEqual(Buffer.concat(chunks), Buffer.from(expected))
    }
    assert.deepEqual(found, [
      '100644 .hidden/.dot',
      '100644 a/b.txt',
      '100644 a/b/c/deep.txt',
      '100644 big',
      '100755 bin/run',
      '120000 link',
      '100644 na\u00efve/\u6f22\u5b57.txt'
    ])
  })
}

test('a pattern chooses by the path from the directory on: dots are letters, case matters, one of several is enough', async (context) => {
  const { repo } = await fixture(context)
  await commitAllKinds(repo)
  assert.deepEqual(await pathsOf(repo, { glob: '**/*.txt' }), [
    'a/b.txt',
    'a/b/c/deep.txt',
    'na\u00efve/\u6f22\u5b57.txt'
  ])
  assert.deepEqual(await pathsOf(repo, { glob: '*' }), ['big', 'link'])
  assert.deepEqual(await pathsOf(repo, { glob: ['.*/**', 'BIN/*', 'b?n/run'] }), ['.hidden/.dot', 'bin/run'])
  assert.deepEqual(await pathsOf(repo, { path: 'a', glob: '*/c/*' }), ['b/c/deep.txt'])
})

test('many files of uneven sizes come in order, though answers have room for some of them only', async (context) => {
  const { repo } = await fixture(context)
  const changes: Record<string, Uint8Array> = {}
  for (let index = 0; index < 150; index++) {
    changes[`f${String(index).padStart(3, '0')}`] = bytesOf(index % 3 === 0 ? inlineBytes - index : index, index)
  }
  await repo.commitFiles({ branch: 'main', changes, message: 'Many\n', author })
  let count = 0
  for await (const { path, content } of repo.readFiles()) {
    assert.deepEqual(Buffer.from(content ?? []), Buffer.from(changes[path] as Uint8Array), path)
    assert.equal(path, `f${String(count++).padStart(3, '0')}`)
  }
  assert.equal(count, 150)
})

test('a loop that ends early ends what is under way, and the client closes at once', async (context) => {
  const { repo, server } = await fixture(context)
  await commitAllKinds(repo)
  for await (const { path } of repo.readFiles()) if (path === 'a/b.txt') break
  const client = server.client()
  for await (const _ of client.repository('demo').readFiles()) break
  await client.close()
})

test('interceptors of calls see the listing and the batches', async (context) => {
  const seen: string[] = []
  const { repo } = await fixture(context, {
    interceptors: [
      (call, next) => {
        seen.push(call.method)
        return next(call)
      }
    ]
  })
  const contents = await commitAllKinds(repo)
  seen.length = 0
  let count = 0
  for await (const file of repo.readFiles()) {
    assert.deepEqual(Buffer.from(await file.bytes()), Buffer.from(contents.get(file.path) as Uint8Array))
    count++
  }
  assert.equal(count, 7)
  assert.deepEqual([...new Set(seen)].slice(0, 2), ['getTree', 'batch'])
})

test('a path that is not UTF-8 has its bytes beside it', async (context) => {
  const { repo } = await fixture(context)
  const { oid } = await repo.storeBlob('x')
  const name = Buffer.from([0x61, 0xff])
  const tree = await storeTree(repo, [{ name, mode: '100644', oid }])
  for await (const { path, rawPath } of repo.readFiles({ revision: tree })) {
    assert.equal(path, 'a\ufffd')
    assert.deepEqual(Buffer.from(rawPath ?? []), name)
  }
})

test('a revision that is missing, an abort and mistakes end the loop with their error', async (context) => {
  const { repo } = await fixture(context)
  await commitAllKinds(repo)
  const iterate = async (input: object, options: object = {}) => {
    for await (const _ of repo.readFiles(input, options));
  }
  await assert.rejects(iterate({ revision: 'none' }), { code: 'not_found', reason: 'revision', method: 'readFiles' })
  await assert.rejects(iterate({ glob: '' }), { code: 'invalid_argument', message: /glob: must be a pattern/ })
  await assert.rejects(iterate({ glob: ['*', '!a*'] }), { message: /glob: "!a\*": patterns leave nothing out/ })
  await assert.rejects(iterate({ glob: '/a/*' }), { message: /glob: "\/a\/\*": paths begin with no "\/"/ })
  await assert.rejects(iterate({ globs: '*' }), { code: 'invalid_argument', message: /did you mean glob/ })
  await assert.rejects(iterate({}, { timeout: 1 }), { code: 'invalid_argument', message: /timeout/ })
  await assert.rejects(iterate({}, { signal: AbortSignal.abort() }), { code: 'cancelled' })
})
