/** commitFiles on real sizes: few requests, nothing sent twice, no commit lost among parallel writers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zeroOid } from '../../src/git/oid.ts'
import type { Change } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1_700_000_000 }

/** Files of 5 kB on average that hardly compress, 15 MB together. */
function manyFiles(count: number): Map<string, Change> {
  let state = 7
  const files = new Map<string, Change>()
  for (let index = 0; index < count; index++) {
    const content = new Uint8Array(1000 + (index % 9) * 1000)
    for (let at = 0; at < content.length; at += 4) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      content[at] = state >>> 24
      content[at + 1] = state >>> 16
      content[at + 2] = state >>> 8
      content[at + 3] = index
    }
    files.set(`dir-${index % 40}/sub-${index % 7}/file-${index}.bin`, content)
  }
  return files
}

for (const transport of transports) {
  test(`3,000 files of 15 MB in at most 10 requests, and nothing but names the second time (${transport})`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const changes = manyFiles(3000)
    const bytes = [...changes.values()].reduce((sum, content) => sum + (content as Uint8Array).length, 0)
    assert.ok(bytes > 14_900_000, String(bytes))
    const first = fixture.client({ transport })
    await first.createRepository('many')
    const made = await first.commitFiles('many', { branch: 'main', changes, message: 'All\n', author })
    // Without the request that made the repository, but with the one that asked for the limits.
    assert.ok(first.stats().requests - 1 <= 10, `${first.stats().requests - 1} requests`)
    assert.ok(first.stats().bytesSent > bytes * 0.6)

    const second = fixture.client({ transport })
    const again = await second.commitFiles('many', { branch: 'main', changes, message: 'Again\n', author })
    assert.deepEqual([again.tree, again.parents], [made.tree, [made.oid]])
    // Names and oids, compressed; a single one of the files would not fit beside them unnoticed.
    assert.ok(second.stats().bytesSent < 400_000, `${second.stats().bytesSent} bytes`)
    let stored = 0
    const third = fixture.client({
      transport,
      interceptors: [
        {
          request(request, next) {
            stored += JSON.stringify(request.message).includes('storeBlob') ? 1 : 0
            return next(request)
          }
        }
      ]
    })
    await third.commitFiles('many', { branch: 'main', changes, message: 'Once more\n', author })
    assert.equal(stored, 0)
  })
}

test('parallel writers over three transports lose no commit', async (context) => {
  const fixture = atEnd(context, await testServer({ store: 'git' }))
  await fixture.client().createRepository('race')
  const writers = Array.from({ length: 8 }, (_, index) =>
    fixture.client({ transport: transports[index % 3] ?? 'json' })
  )
  await Promise.all(
    writers.map(async (client, writer) => {
      for (let round = 0; round < 5; round++) {
        const changes = { [`file-${writer}-${round}`]: `${writer} ${round}\n` }
        await client.commitFiles('race', { branch: 'main', changes, message: `${writer} ${round}\n`, author })
      }
    })
  )
  const reader = fixture.client()
  const messages = new Set<string>()
  for await (const commit of reader.repository('race').commits({ revision: 'main' })) {
    assert.ok(commit.parents.length <= 1)
    messages.add(commit.message)
  }
  assert.equal(messages.size, 40)
  assert.equal((await reader.getTree('race', { revision: 'main' })).entries.length, 40)
})

test('the same commit under the same key is made once, even after others; under another key it is refused', async (context) => {
  const fixture = atEnd(context, await testServer())
  const repo = fixture.client().repository('again')
  await repo.createRepository()
  const commit = { branch: 'main', changes: { a: '1\n' }, message: 'One\n', author, expectedHead: null }
  const first = await repo.commitFiles(commit, { requestKey: 'one' })
  const mismatch = { code: 'aborted', reason: 'ref_mismatch' }
  await assert.rejects(repo.commitFiles(commit), mismatch)
  const next = await repo.commitFiles({ branch: 'main', changes: { b: '2\n' }, message: 'Two\n', author })
  assert.deepEqual(await repo.commitFiles(commit, { requestKey: 'one' }), first)
  assert.equal((await repo.getCommit('main')).commit?.oid, next.oid)
  await assert.rejects(repo.commitFiles({ ...commit, message: 'Another\n' }), mismatch)
})

test('change lists too long for one request are stored as trees first', async (context) => {
  const fixture = atEnd(context, await testServer({ limits: { maxBatchBytes: 16 * 1024, maxBatchOperations: 50 } }))
  for (const transport of transports) {
    const repo = fixture.client({ transport }).repository(`long-${transport}`)
    await repo.createRepository()
    await repo.commitFiles({ branch: 'main', changes: { old: 'x', 'to/move': 'y' }, message: '0\n', author })
    const changes = new Map<string, Change>([
      ['old', null],
      ['moved', { moveFrom: 'to/move' }]
    ])
    for (let index = 0; index < 700; index++)
      changes.set(`deep/${index % 10}/file-${index}`, `content ${index % 400}\n`.repeat(10))
    const made = await repo.commitFiles({ branch: 'main', changes, message: '1\n', author })
    const listed = await repo.getTree({ revision: made.oid, recursive: true })
    const files = listed.entries.filter(({ mode }) => mode !== '040000').map(({ path }) => path)
    assert.equal(files.length, 701)
    assert.ok(files.includes('moved') && !files.includes('old') && !files.includes('to/move'))
    assert.equal((await repo.listCommits()).commits.length, 2)
  }
})

test('a failed commit stores nothing', async (context) => {
  const fixture = atEnd(context, await testServer({ limits: { maxBlobBytes: 1024 * 1024 } }))
  const client = fixture.client()
  const repo = client.repository('bad')
  await repo.createRepository()
  const base = { branch: 'main', message: 'x\n', author }
  const large = new Uint8Array(1024 * 1024 + 1)
  const bad: [Parameters<typeof repo.commitFiles>[0], object][] = [
    [{ ...base, changes: { 'a/../b': 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, changes: { '.git/config': 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, changes: { a: 5 as unknown as string } }, { code: 'invalid_argument' }],
    [{ ...base, changes: { a: 'x', 'a/b': 'y' } }, { code: 'invalid_argument' }],
    [{ ...base, changes: { a: { content: 'x', mode: '100600' as '100644' } } }, { code: 'invalid_argument' }],
    [
      { ...base, changes: { a: { oid: 'ab'.repeat(20) } } },
      { code: 'failed_precondition', reason: 'missing_object' }
    ],
    [
      { ...base, changes: { gone: null } },
      { code: 'failed_precondition', reason: 'path_not_found' }
    ],
    [{ ...base, changes: { '.gitmodules': { content: 'x', mode: '120000' } } }, { code: 'invalid_argument' }],
    [{ ...base, changes: { large } }, { code: 'resource_exhausted' }],
    [{ ...base, branch: 'a..b', changes: { a: 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, author: { name: 'a<b', email: '' }, changes: { a: 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, author: { ...author, zone: 'CET' }, changes: { a: 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, message: 'a\0b', changes: { a: 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, expectedHead: zeroOid('sha256'), changes: { a: 'x' } }, { code: 'invalid_argument' }],
    [{ ...base, expectedHead: 'main', changes: { a: 'x' } }, { code: 'invalid_argument' }]
  ]
  for (const [input, expected] of bad) await assert.rejects(repo.commitFiles(input), expected, JSON.stringify(expected))
  assert.deepEqual((await repo.listRefs()).refs, [])
  await repo.commitFiles({ ...base, changes: { fine: 'x' } })
})
