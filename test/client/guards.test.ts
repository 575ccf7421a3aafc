/** Guards by path: a commit is made only where the paths are as its caller saw them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zeroOid } from '../../src/git/oid.ts'
import { BlobwireError, type CommitFilesInput } from '../../src/index.ts'
import { failureOf, transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org' }
const commit = { branch: 'main', message: 'm\n', author }

for (const store of ['memory', 'git'] as const) {
  for (const transport of transports) {
    for (const objectFormat of ['sha1', 'sha256'] as const) {
      test(`each form of a guard holds, and tells path, expected and found oid (${store}, ${transport}, ${objectFormat})`, async (context) => {
        const fixture = atEnd(context, await testServer({ store }))
        await fixture.client().createRepository('demo', { objectFormat })
        // This client has to ask for the format: `null` is a zero oid of that length.
        const repo = fixture.client({ transport }).repository('demo')
        const zero = zeroOid(objectFormat)
        const begun = await repo.commitFiles({
          ...commit,
          changes: { a: { content: 'a', expectedOid: null }, b: 'b', c: 'c' },
          guards: { d: null }
        })
        const { entries } = await repo.getTree({ revision: begun.oid })
        const [a = '', b = '', c = ''] = entries.map(({ oid }) => oid)
        const refused: [Pick<CommitFilesInput, 'changes' | 'guards'>, object][] = [
          [{ changes: { a: { content: 'x', expectedOid: null } } }, { path: 'a', expectedOid: zero, foundOid: a }],
          [{ changes: { a: { oid: b, expectedOid: c } } }, { path: 'a', expectedOid: c, foundOid: a }],
          [{ changes: { a: { delete: true, expectedOid: b } } }, { path: 'a', expectedOid: b, foundOid: a }],
          [{ changes: { x: { moveFrom: 'a', expectedOid: b } } }, { path: 'a', expectedOid: b, foundOid: a }],
          [
            { changes: { x: 'x' }, guards: { a: b, c } },
            { path: 'a', expectedOid: b, foundOid: a }
          ],
          [
            { changes: { x: 'x' }, guards: new Map([['gone', a]]) },
            { path: 'gone', expectedOid: a, foundOid: zero }
          ]
        ]
        for (const [input, mismatch] of refused) {
          const { error } = await failureOf(repo.commitFiles({ ...commit, ...input }))
          assert.ok(error.is('path_mismatch'), error.message)
          assert.deepEqual([error.code, error.details.pathMismatches], ['aborted', [mismatch]])
        }
        const [inBatch] = await repo.batch([{ commitFiles: { ...commit, changes: { x: 'x' }, guards: { b: null } } }])
        assert.equal(inBatch.error?.reason, 'path_mismatch')
        const made = await repo.commitFiles({
          ...commit,
          changes: {
            a: { content: 'new', mode: '100755', expectedOid: a },
            b: { delete: true, expectedOid: b },
            d: { moveFrom: 'c', expectedOid: c }
          },
          guards: { gone: null }
        })
        assert.deepEqual([made.parents, made.result], [[begun.oid], 'moved'])
        const after = await repo.getTree()
        assert.deepEqual(
          after.entries.map(({ path, mode }) => `${path} ${mode}`),
          ['a 100755', 'd 100644']
        )
      })
    }
  }
}

for (const transport of transports) {
  test(`writers that guard their paths count exactly, and others do not disturb them (${transport})`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const repo = fixture.client({ transport }).repository('demo')
    await repo.createRepository()
    await repo.commitFiles({ ...commit, changes: { counter: '0' } })
    const add = async (): Promise<void> => {
      const { oid, content } = await repo.getBlob({ revision: 'main', path: 'counter' })
      const next = { content: `${Number(Buffer.from(content).toString()) + 1}`, expectedOid: oid }
      try {
        await repo.commitFiles({ ...commit, changes: { counter: next } })
      } catch (error) {
        if (!(error instanceof BlobwireError && error.is('path_mismatch'))) throw error
        await add()
      }
    }
    const others = Array.from({ length: 20 }, (_, index) =>
      repo.commitFiles({ ...commit, changes: { [`other-${index}`]: { content: 'x', expectedOid: null } } })
    )
    await Promise.all([...Array.from({ length: 10 }, add), ...others])
    const { content } = await repo.getBlob({ revision: 'main', path: 'counter' })
    assert.equal(Buffer.from(content).toString(), '10')
    assert.equal((await repo.getTree()).entries.length, 21)
  })
}

test('changes and guards of a wrong form are refused with the right one, before anything is sent', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.client()
  const oid = 'ab'.repeat(20)
  const wrong: [unknown, unknown, RegExp][] = [
    [
      [['a', 'x']],
      undefined,
      /^commitFiles at [^ ]+: changes: must be an object of paths or a Map, such as \{ 'a.txt'/
    ],
    [[], undefined, /^commitFiles at [^ ]+: changes: must be an object of paths or a Map/],
    [undefined, undefined, /^commitFiles at [^ ]+: changes: is required/],
    [new Date(), undefined, /^commitFiles at [^ ]+: changes: must be an object of paths or a Map/],
    [new Set(['a']), undefined, /^commitFiles at [^ ]+: changes: must be an object of paths or a Map/],
    [new Map([[1, 'x']]), undefined, /^commitFiles at [^ ]+: changes: has a path that is no string: 1/],
    [{ a: 5 }, undefined, /^commitFiles at [^ ]+: changes\["a"\]: must be bytes, a string, null, \{ content \}/],
    [{ a: undefined }, undefined, /^commitFiles at [^ ]+: changes\["a"\]: must be bytes/],
    [{ a: ['x'] }, undefined, /^commitFiles at [^ ]+: changes\["a"\]: must be bytes, .* not a list/],
    [{ a: {} }, undefined, /^commitFiles at [^ ]+: changes\["a"\]: must be bytes/],
    [
      { a: { content: 'x', oid } },
      undefined,
      /^commitFiles at [^ ]+: changes\["a"\]: must have only one of content and oid/
    ],
    [{ a: { expectedOid: oid } }, undefined, /^commitFiles at [^ ]+: changes\["a"\]: must be bytes/],
    [
      { a: { content: 7 } },
      undefined,
      /^commitFiles at [^ ]+: changes\["a"\]\.content: must be a Uint8Array, a string, a Blob, \{ file \}, a stream/
    ],
    [{ a: { oid: 7 } }, undefined, /^commitFiles at [^ ]+: changes\["a"\]\.oid: must be a string/],
    [{ a: { moveFrom: null } }, undefined, /^commitFiles at [^ ]+: changes\["a"\]\.moveFrom: must be a string/],
    [{ a: { delete: false } }, undefined, /^commitFiles at [^ ]+: changes\["a"\]\.delete: must be true/],
    [
      { a: { delete: true, mode: '100644' } },
      undefined,
      /^commitFiles at [^ ]+: changes\["a"\]: a removal has no mode/
    ],
    [
      { a: { contents: 'x' } },
      undefined,
      /^commitFiles at [^ ]+: changes\["a"\]\.contents: unknown key; did you mean content\?/
    ],
    [{ a: { content: 'x', expectedOID: oid } }, undefined, /expectedOID: unknown key; did you mean expectedOid\?/],
    [{ a: { content: 'x', expectedOid: 'main' } }, undefined, /: changes\["a"\]\.expectedOid: must be an oid, or null/],
    [{ a: { content: 'x', expectedOid: '' } }, undefined, /: changes\["a"\]\.expectedOid: must be an oid, or null/],
    [{ 'a/../b': 'x' }, undefined, /: changes\["a\/\.\.\/b"\]: must not contain/],
    [{ a: 'x' }, ['b'], /^commitFiles at [^ ]+: guards: must be an object of paths or a Map, such as \{ 'a.txt'/],
    [{ a: 'x' }, null, /^commitFiles at [^ ]+: guards: must be an object of paths or a Map/],
    [{ a: 'x' }, { b: 'x' }, /: guards\["b"\]: must be an oid, or null/],
    [{ a: 'x' }, { b: undefined }, /^commitFiles at [^ ]+: guards\["b"\]: must be an oid or null/],
    [{ a: 'x' }, { '/b': oid }, /: guards\["\/b"\]: must not begin/],
    [
      { a: 'x' },
      { a: oid },
      /: guards\["a"\]: also in changes; guard the change itself: \{ content: …, expectedOid: … \}/
    ]
  ]
  for (const [changes, guards, message] of wrong) {
    const input = { ...commit, changes, guards } as CommitFilesInput
    await assert.rejects(client.commitFiles('demo', input), { code: 'invalid_argument', message })
    await assert.rejects(
      async () => {
        const [result] = await client.batch('demo', [{ commitFiles: input }])
        throw result.error
      },
      (error: BlobwireError) => error.code === 'invalid_argument' || error.reason === 'repository'
    )
  }
  assert.equal(client.stats().calls, client.stats().failures, 'nothing but the batches’ questions for the format')
  const wellFormed = client.repository('fine')
  await wellFormed.createRepository()
  const bare = Object.assign(Object.create(null), { a: 'x' })
  await wellFormed.commitFiles({ ...commit, changes: bare, guards: undefined })
})
