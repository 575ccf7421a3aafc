/** Oids without a server, held against git and against what the service answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { blobOid, commitOid, type DatedCommit, objectOid, type TreeFile, tagOid, treeOid } from '../../src/index.ts'
import { GitRepository } from '../support/git.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 0, zone: '-0330' }

for (const objectFormat of ['sha1', 'sha256'] as const) {
  test(`the oids are those of git and of the service (${objectFormat})`, async (context) => {
    const git = new GitRepository(context, objectFormat)
    const fixture = atEnd(context, await testServer())
    const repo = fixture.client().repository('demo')
    await repo.createRepository({ objectFormat })
    const options = { objectFormat }

    const hello = blobOid('hello\n', options)
    assert.equal(hello, git.run(['hash-object', '-w', '--stdin'], 'hello\n').trim())
    assert.equal(blobOid(new Uint8Array(), options), (await repo.storeBlob('')).oid)

    const files: TreeFile[] = [
      { path: 'a/b.txt', content: 'hello\n' },
      { path: 'a.txt', content: new TextEncoder().encode('hello\n'), mode: '100755' },
      { path: 'link', content: 'a.txt', mode: '120000' },
      { path: 'same', mode: '100644', oid: hello }
    ]
    const changes = Object.fromEntries(files.map(({ path, ...change }) => [path, change]))
    const { tree, oid } = await repo.commitFiles({ branch: 'main', changes, message: 'm\n', author })
    assert.equal(treeOid(files, options), tree)
    assert.equal(treeOid(new Set(files), options), tree)
    assert.equal(treeOid([], options), git.run(['mktree'], '').trim())
    const commit: DatedCommit = { tree, message: 'm\n', author }
    assert.equal(commitOid(commit, options), oid)
    const child = { ...commit, parents: [oid], committer: { ...author, name: 'Grace', zone: undefined } }
    assert.equal(commitOid(child, options), (await repo.storeCommit(child)).oid)
    const tag = { object: oid, kind: 'commit', name: 'v1', tagger: author, message: 'Version 1\n' } as const
    assert.equal(tagOid(tag, options), (await repo.storeTag(tag)).oid)
    const { content } = await repo.getBlob({ oid: hello })
    assert.equal(objectOid('blob', content, options), hello)
    assert.equal(objectOid('tag', 'any', options), git.store('tag', new TextEncoder().encode('any')))
  })
}

test('values that are none are refused by name', () => {
  const refused = (run: () => unknown, message: RegExp) => assert.throws(run, { code: 'invalid_argument', message })
  refused(() => blobOid(5 as never), /content: must be a Uint8Array or a string/)
  const gone = new Uint8Array(5)
  structuredClone(gone, { transfer: [gone.buffer] })
  for (const run of [() => blobOid(gone), () => objectOid('tree', gone), () => treeOid([{ path: 'a', content: gone }])])
    refused(run, /content: .*transferred/)
  refused(() => blobOid('', { objectFormat: 'md5' as never }), /objectFormat: must be one of sha1, sha256/)
  refused(() => objectOid('file' as never, ''), /kind: must be one of blob, tree, commit, tag/)
  refused(() => treeOid([{ path: '../a', content: '' }]), /^treeOid: files\[0\]\.path/)
  refused(() => treeOid([{ path: 'a', content: undefined as never }]), /files\[0\]\.content/)
  refused(() => treeOid([{ content: '' } as never]), /files\[0\]\.path: is required/)
  refused(() => treeOid([{ path: 'a', oid: blobOid('') } as never]), /files\[0\]\.mode: is required/)
  refused(() => treeOid([{ path: 'a', content: '', oid: blobOid('') } as never]), /content: must not come with an oid/)
  refused(() => treeOid([{ name: 'a', content: '' } as never]), /files\[0\]\.name: unknown key; did you mean path/)
  refused(() => treeOid([null as never]), /files\[0\]: must be an object/)
  refused(
    () => treeOid(undefined as never),
    /files: must be a list of files such as \{ path, content \}, not undefined$/
  )
  const undated = { ...author, timeSeconds: undefined as never }
  const commit = { tree: blobOid(''), message: '', author }
  refused(() => commitOid({ ...commit, author: undated }), /author\.timeSeconds: is required/)
  refused(() => commitOid({ ...commit, committer: undated }), /committer\.timeSeconds: is required/)
  const tag = { object: blobOid(''), kind: 'blob', name: 'v1', tagger: author, message: '' } as const
  refused(() => tagOid({ ...tag, tagger: undated }), /tagger\.timeSeconds: is required/)
  refused(() => tagOid({ ...tag, kind: undefined as never }), /kind: is required/)
  refused(() => commitOid({ ...commit, tree: 'HEAD' }), /tree: must be a full oid/)
  refused(() => commitOid({ ...commit, sha: '' } as never), /^commitOid: sha: unknown key/)
  refused(() => commitOid({} as never), /^commitOid: tree: is required$/)
  refused(
    () => commitOid({ ...commit, sign: () => '' } as never),
    /^commitOid: sign: unknown key; .* committer, message$/
  )
  refused(() => tagOid({ ...tag, sign: () => '' } as never), /^tagOid: sign: unknown key; .* tagger, message$/)
  refused(() => blobOid(undefined as never), /^blobOid: content: /)
  refused(() => objectOid('file' as never, ''), /^objectOid: kind: .* tag, not "file"$/)
  refused(() => objectOid({ kind: 'blob', content: '' } as never, ''), /not an object; use objectOid\(kind, content\)$/)
  refused(
    () => treeOid({ a: 'x' } as never),
    /^treeOid: files: must be a list of files .*; use Object\.entries\(files\)/
  )
  refused(() => tagOid({} as never), /^tagOid: object: is required/)
})

test('options that would be without effect are refused: the oid would be of the other format', () => {
  const refused = (run: () => unknown, message: RegExp) => assert.throws(run, { code: 'invalid_argument', message })
  refused(
    () => blobOid('', { objectformat: 'sha256' } as never),
    /objectformat: unknown option; did you mean objectFormat/
  )
  refused(() => blobOid('', { format: 'sha256' } as never), /format: unknown option; did you mean objectFormat\?/)
  refused(() => treeOid([], 'sha256' as never), /options: must be an object of options; use { objectFormat: "sha256" }/)
  refused(() => objectOid('blob', '', null as never), /options: must be an object of options, not null/)
})
