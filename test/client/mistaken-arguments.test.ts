/** Mistakes about arguments and options: what the user wrote, and the words that mend it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { BlobwireError } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

/** Anything, as JavaScript passes it. */
// biome-ignore lint/suspicious/noExplicitAny: these are calls that TypeScript refuses
type Loose = any

const absent = '1'.repeat(40)
const author = { name: 'Ada', email: 'ada@example.org' }
const commit = { branch: 'main', changes: { 'a.txt': 'x' }, message: 'm', author }

interface Given {
  readonly client: Loose
  readonly repo: Loose
  /** Of a blob. */
  readonly oid: string
}

/** The user's call, and the words of the message behind method and endpoint. */
type Mistake = readonly [call: (given: Given) => unknown, words: RegExp]

const oneChange = (change: unknown) => ({ ...commit, changes: { 'a/b.txt': change } })
const byAuthor = (more: object) => ({ ...commit, author: { ...author, ...more } })

const missingAwait: readonly Mistake[] = [
  [({ repo }) => repo.getBlob(repo.storeBlob('x')), /^must be the address .* not a Promise; is an await missing\?$/],
  [({ repo }) => repo.storeBlob(repo.storeBlob('x')), /^content: .* not a Promise; is an await missing\?$/],
  [({ repo }) => repo.findMissing([repo.storeBlob('x')]), /^oids\[0\]: .* a Promise; is an await missing\?$/],
  [({ repo }) => repo.storeTree(repo.storeTree([])), /^entries: must be a list, not a Promise; is an await missing\?$/],
  [({ repo }) => repo.batch([repo.storeBlob('x')]), /^operations\[0\]: .* not a Promise; is an await missing\?$/],
  [
    ({ repo }) => repo.commitFiles(oneChange(Promise.resolve('x'))),
    /^changes\["a\/b\.txt"\]: .* is an await missing\?$/
  ],
  [async ({ repo }) => repo.findMissing([await repo.storeBlob('x')]), /^oids\[0\]: .*; did you mean its oid\?$/]
]

const contents: readonly Mistake[] = [
  [({ repo }) => repo.storeBlob(), /^content: is required$/],
  [({ repo }) => repo.storeBlob(null), /^content: must be a Uint8Array or a string, not null$/],
  [({ repo }) => repo.storeBlob(5), /^content: .* not 5; use String\(value\)$/],
  [({ repo }) => repo.storeBlob([1, 2]), /^content: .* not a list; use Uint8Array\.from\(list\)$/],
  [({ repo }) => repo.storeBlob(new ArrayBuffer(2)), /^content: .* not an ArrayBuffer; use new Uint8Array\(buffer\)$/],
  [({ repo }) => repo.storeBlob(new DataView(new ArrayBuffer(2))), /^content: .* not a DataView; use new Uint8Array\(/],
  [
    ({ repo }) => repo.storeBlob(new Uint16Array(2)),
    /^content: .* not a Uint16Array; use new Uint8Array\(view\.buffer/
  ],
  [
    ({ repo }) => repo.storeBlob(new Blob(['x'])),
    /^content: .* not a Blob; use new Uint8Array\(await value\.arrayBuffer/
  ],
  [({ repo }) => repo.storeBlob(new ReadableStream()), /^content: .* not a ReadableStream; read the stream first/],
  [({ repo }) => repo.storeBlob({ key: 'secret' }), /^content: .* not a plain object; for JSON, use JSON\.stringify/],
  [({ repo }) => repo.storeBlob({ content: 'x' }), /^content: .*; did you mean its content\?$/],
  [({ repo }) => repo.storeBlob('\ud800'), /^content: must be well-formed Unicode/],
  [({ repo }) => repo.commitFiles(oneChange([1, 2])), /^changes\["a\/b\.txt"\]: .* use Uint8Array\.from\(list\)$/],
  [
    ({ repo }) => repo.commitFiles(oneChange({ content: 5 })),
    /^changes\["a\/b\.txt"\]\.content: .* use String\(value\)$/
  ]
]

const oidsAndNames: readonly Mistake[] = [
  [({ repo, oid }) => repo.getBlob(oid.toUpperCase()), /^oid: .* in lower-case hex; did you mean [0-9a-f]{40}\?$/],
  [({ repo }) => repo.getCommit('A'.repeat(40)), /not found; oids are in lower case: did you mean a{40}\?$/],
  [({ repo, oid }) => repo.getBlob(oid.slice(0, 7)), /^oid: must be a full sha1 oid .*: 40 digits, not 7$/],
  [({ repo }) => repo.getBlob('1'.repeat(64)), /^oid: .* \(40 digits\), as the repository is sha1$/],
  [({ repo }) => repo.getBlob('a.txt'), /^oid: must be a full sha1 oid in lower-case hex, not "a\.txt"$/],
  [({ repo }) => repo.getBlob('main', 'a.txt'), /options: .* by path: getBlob\(\{ revision, path \}\)$/],
  [({ repo, oid }) => repo.getBlob({ sha: oid }), /^sha: unknown key; did you mean oid\?/],
  [({ repo }) => repo.getBlob({ branch: 'main', path: 'a' }), /^branch: unknown key; did you mean revision\?/],
  [({ repo }) => repo.getBlob({ revision: 'main', path: './a.txt' }), /^path: .*; did you mean "a\.txt"\?$/],
  [({ repo }) => repo.getBlob({ revision: 'main', path: 'a\\b' }), /not found; segments .* are separated by "\/"$/],
  [({ repo, oid }) => repo.findMissing(oid), /^oids: must be a list, not ".*; use \[value\]$/],
  [({ repo, oid }) => repo.findMissing(new Set([oid])), /^oids: must be a list, not a Set; use \[\.\.\.value\]$/],
  [({ repo }) => repo.getTree('main'), /^must be an object with the keys revision, path, recursive, not "main"$/],
  [({ repo }) => repo.compare('main', 'other'), /^must be an object with the keys base, head, .* not "main"$/],
  [({ repo }) => repo.compare({ from: 'main', to: 'x' }), /^from: unknown key; did you mean base\?/],
  [({ repo }) => repo.listCommits({ limit: 5 }), /^limit: unknown key; did you mean pageSize\?/],
  [
    ({ client }) => client.storeBlob('https://example.org/team/site.git', 'x'),
    /^repository: .* did you mean "team\/site"\?$/
  ],
  [({ client }) => client.storeBlob('/demo/', 'x'), /^repository: .*; did you mean "demo"\?$/],
  [
    ({ client }) => client.storeBlob(Buffer.from('x')),
    /^repository: must be a string, the name of .* not a Uint8Array$/
  ],
  [
    ({ client }) => client.storeBlob('nowhere', 'x'),
    /^repository nowhere not found: nobody has created it, or the token/
  ],
  [
    ({ client }) => client.createRepository('x', { objectFormat: 'sha512' }),
    /^objectFormat: must be sha1 or sha256, not/
  ]
]

const empty: readonly Mistake[] = [
  [({ repo }) => repo.getBlob({ revision: '', path: 'a.txt' }), /^revision: must not be empty; a revision is an oid, /],
  [({ repo }) => repo.getBlob({ revision: 'main', path: '' }), /^path: must not be empty; it is the path of a file, /],
  [({ repo }) => repo.getCommit(''), /^revision: must not be empty; /],
  [({ repo }) => repo.getTag(''), /^revision: must not be empty; /],
  [({ repo }) => repo.getObject({ revision: '' }), /^revision: must not be empty; /],
  [({ repo }) => repo.listCommits({ revision: '' }), /^revision: must not be empty; /],
  [({ repo }) => repo.compare({ base: '', head: 'main' }), /^base: must not be empty; /],
  [({ repo }) => repo.compare({ base: 'main', head: '' }), /^head: must not be empty; /]
]

const latin1 = (text: string) => Buffer.from(text, 'latin1')
// Suggested is only what would be right.
const unfit: readonly Mistake[] = [
  [({ repo }) => repo.getBlob({ revision: 'main', path: latin1('/ab\xe9c/') }), /^path: .*, without .* and "\.\."$/],
  [({ repo }) => repo.getBlob({ revision: 'main', path: latin1('a/\0\xe9') }), /^path: .*, without .* and "\.\."$/],
  [
    ({ repo }) => repo.commitFiles({ ...commit, changes: { '/.git/x': '' } }),
    /^changes\[.*\]: must not .* contain "\/\/"$/
  ],
  [
    ({ repo }) => repo.commitFiles({ ...commit, changes: new Map([[latin1('/ab\xe9c/'), '']]) }),
    /^changes\["\/ab\\xe9c\/"\]: must not .* contain "\/\/"$/
  ],
  [
    ({ repo, oid }) => repo.updateRefs([{ name: latin1('ab\xe9'), expectedOid: null, newOid: oid }]),
    /name: must be a full name such as refs\/heads\/main$/
  ],
  [
    ({ repo, oid }) => repo.updateRefs([{ name: 'a..b', expectedOid: null, newOid: oid }]),
    /name: must be a full name such as refs\/heads\/main$/
  ],
  [({ repo }) => repo.commitFiles({ ...commit, branch: 'heads/a..b' }), /^branch: must not contain "\.\."$/],
  [
    ({ repo }) => repo.commitFiles({ ...commit, branch: 'refs/heads/refs/tags/x' }),
    /^branch: must not begin twice like a ref$/
  ]
]

const commits: readonly Mistake[] = [
  [({ repo }) => repo.commitFiles(), /^must be an object with the keys branch, changes, .* not undefined$/],
  [({ repo }) => repo.commitFiles({ ...commit, files: {} }), /^files: unknown key; did you mean changes\?/],
  [
    ({ repo }) => repo.commitFiles({ ...commit, author: 'Ada <a@b>' }),
    /^author: must be an object with the keys name, email/
  ],
  [
    ({ repo }) => repo.commitFiles(byAuthor({ timeSeconds: new Date() })),
    /^author\.timeSeconds: .* not a Date; use Math\.floor/
  ],
  [
    ({ repo }) => repo.commitFiles(byAuthor({ timeSeconds: 1.5 })),
    /^author\.timeSeconds: must be a whole number .* 1\.5/
  ],
  [
    ({ repo }) => repo.commitFiles(byAuthor({ timeSeconds: Date.now() })),
    /^author\.timeSeconds: .* not milliseconds; did you/
  ],
  [
    ({ repo }) => repo.commitFiles(byAuthor({ zone: '+01:00' })),
    /^author\.zone: must be like .* did you mean \+0100\?$/
  ],
  [({ repo }) => repo.commitFiles(byAuthor({ zone: 'Europe/Berlin' })), /^author\.zone: .* not the name of a zone$/],
  [
    ({ repo }) => repo.commitFiles({ ...commit, branch: 'refs/heads/refs/heads/main' }),
    /^branch: .* did you mean "main"\?$/
  ],
  [
    ({ repo }) => repo.commitFiles({ ...commit, branch: 'heads/main' }),
    /^branch: must be "main" or "refs\/heads\/main"/
  ],
  [({ repo }) => repo.commitFiles({ ...commit, changes: { '/a': 'x' } }), /^changes\["\/a"\]: .*; did you mean "a"\?$/],
  [({ repo }) => repo.commitFiles({ ...commit, changes: { 'a/': 'x' } }), /^changes\["a\/"\]: .*; did you mean "a"\?$/],
  [
    ({ repo }) => repo.commitFiles({ ...commit, changes: { '../a': 'x' } }),
    /^changes\["\.\.\/a"\]: must not contain "\."/
  ],
  [
    ({ repo }) => repo.commitFiles(oneChange({ content: 'x', mode: 0o100644 })),
    /^changes\["a\/b\.txt"\]\.mode: .* did you mean "100644"\?/
  ],
  [
    ({ repo }) => repo.commitFiles(oneChange({ content: 'x', mode: '0755' })),
    /^changes\["a\/b\.txt"\]\.mode: must be one of .*; did you mean "100755"\?$/
  ],
  [
    ({ repo }) => repo.commitFiles(oneChange({ content: 'x', mode: '160000', expectedOid: null })),
    /^changes\["a\/b\.txt"\]\.mode: must be the mode of a file/
  ],
  [
    ({ repo }) => repo.commitFiles(oneChange({ oid: 'abc' })),
    /^changes\["a\/b\.txt"\]\.oid: must be a full sha1 oid in lower-case hex, not "abc"$/
  ],
  [
    ({ repo, oid }) => repo.storeCommit({ tree: oid.slice(0, 8), message: 'm', author }),
    /^tree: .*: 40 digits, not 8$/
  ],
  [({ repo, oid }) => repo.storeCommit({ tree: oid, message: 'm', author }), /^[0-9a-f]+ is a blob, not a tree$/],
  [
    ({ repo }) => repo.storeCommit({ tree: absent, parents: absent, message: 'm', author }),
    /^parents: must be a list, not ".*; use \[value\]$/
  ],
  [
    ({ repo, oid }) =>
      repo.storeTree([
        { path: 'a', mode: '100644', oid },
        { path: 'b', mode: '644', oid }
      ]),
    /^entries\[1\]\.mode: must be one of .*; did you mean "100644"\?$/
  ],
  [({ repo }) => repo.updateRefs({ name: 'refs/heads/x' }), /^updates: must be a list, not \{"name"/],
  [
    ({ repo }) => repo.updateRefs([{ name: 'main', expectedOid: null, newOid: absent }]),
    /^updates\[0\]\.name: .*; did you mean "refs\/heads\/main"\?$/
  ],
  [
    ({ repo, oid }) => repo.updateRefs([{ name: 'refs/heads/x', newOid: oid }]),
    /^updates\[0\]\.expectedOid: is required \(null where the ref must not exist\)$/
  ],
  [
    ({ repo }) => repo.updateRefs([{ name: 'refs/heads/x', expectedOid: null }]),
    /^updates\[0\]\.newOid: is required \(null deletes the ref\)$/
  ],
  [
    ({ repo }) => repo.updateRefs([{ name: 'refs/heads/x', old: null }]),
    /^updates\[0\]\.old: .* did you mean expectedOid\?/
  ],
  [
    ({ repo }) => repo.batch([{ storeBlob: { content: 'x' } }, { storeBlobs: { content: 'x' } }]),
    /^operations\[1\]: unknown operation "storeBlobs"; did you mean storeBlob\?/
  ],
  [
    ({ repo }) => repo.batch([{ storeBlob: 'x' }]),
    /^operations\[0\]\.storeBlob: must be an object with the keys content/
  ],
  [
    ({ repo, oid }) => repo.batch([{ storeBlob: { content: 'x' }, getBlob: { oid } }]),
    /^operations\[0\]: .* with one key/
  ]
]

const callOptions: readonly Mistake[] = [
  [
    ({ repo }) => repo.commitFiles({ ...commit, signal: AbortSignal.timeout(1000) }),
    /^signal: is no key of the input but an option, in the last argument: \{ signal \}$/
  ],
  [
    ({ repo }) => repo.commitFiles({ ...commit, requestKey: 'k' }),
    /^requestKey: .* in the last argument: \{ requestKey \}$/
  ],
  [({ repo }) => repo.listRefs({ timeoutMs: 5 }), /^timeoutMs: .* in the last argument: \{ timeoutMs \}$/],
  [({ repo }) => repo.storeBlob('x', 5000), /options: must be an object of options, not 5000$/],
  [({ repo }) => repo.storeBlob('x', { timeout: 5 }), /^timeout: unknown option; did you mean timeoutMs\?/],
  [({ repo }) => repo.storeBlob('x', { timeoutMs: Infinity }), /^timeoutMs: must be a number above 0, not Infinity$/],
  [({ repo }) => repo.storeBlob('x', { signal: new AbortController() }), /^signal: .*; use controller\.signal$/],
  [({ repo }) => repo.storeBlob('x', { token: 'Bearer x' }), /^token: .* without the word Bearer in front$/],
  [
    ({ repo }) => repo.storeBlob('x', { headers: { Authorization: 'Bearer x' } }),
    /authorization: .* the option token$/
  ],
  [({ repo }) => repo.storeBlob('x', { headers: new Headers() }), /^headers: .*; use Object\.fromEntries\(headers\)$/]
]

for (const [kind, mistakes] of Object.entries({
  missingAwait,
  contents,
  oidsAndNames,
  empty,
  unfit,
  commits,
  callOptions
})) {
  test(`calls: ${kind}`, async (context) => {
    const fixture = atEnd(context, await testServer())
    const client: Loose = fixture.client()
    const repo = client.repository('demo')
    await repo.createRepository()
    const { oid } = await repo.storeBlob('x')
    await repo.commitFiles(commit)
    for (const [call, words] of mistakes) {
      const error = await Promise.resolve()
        .then(() => call({ client, repo, oid }))
        .then(
          (answer) => assert.fail(`${call}: ${inspect(answer)}`),
          (reason) => reason
        )
      assert.ok(error instanceof BlobwireError, `${call}: ${inspect(error)}`)
      const [, method, text = ''] = /^(\w+) at http:\/\/127\.0\.0\.1:\d+: (.*)$/s.exec(error.message) ?? []
      assert.match(text, words, `${call}`)
      assert.equal(error.method, method)
      assert.match(`${call}`, new RegExp(`\\.${method}\\(`))
      const [violation] = error.details.violations ?? []
      if (error.code === 'invalid_argument') assert.ok(text.includes(violation?.field ?? '?'), text)
      assert.doesNotMatch(error.message, /secret/)
    }
  })
}
