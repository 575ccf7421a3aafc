/** Arguments are the caller's again when the call has returned its promise; wrong ones are refused at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BlobwireError, type Client, type ClientOptions, createClient } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org', timeSeconds: 1_700_000_000 }

/** On every transport, on sessions and in requests of their own, with and without an interceptor. */
function clientsOf(fixture: TestServer): Client[] {
  const ways: Partial<ClientOptions>[] = [{}, { batch: false }, { interceptors: [async (call, next) => next(call)] }]
  return transports.flatMap((transport) => ways.map((way) => fixture.client({ transport, ...way })))
}

test('lists, objects and authors that change after the call change nothing', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const [index, client] of clientsOf(fixture).entries()) {
    const repo = client.repository(`own/${index}`)
    await repo.createRepository()
    const { oid } = await repo.storeBlob('hello\n')

    const oids = ['1'.repeat(40)]
    const missing = repo.findMissing(oids)
    oids.length = 0
    assert.deepEqual((await missing).missing, ['1'.repeat(40)])

    const entry = { path: 'a', mode: '100644' as const, oid }
    const tree = repo.storeTree([entry])
    entry.path = 'b'
    const stored = await tree
    assert.deepEqual(
      (await repo.getTree({ revision: stored.oid })).entries.map(({ path }) => path),
      ['a']
    )

    const parents: string[] = []
    const newCommit = { tree: stored.oid, parents, author: { ...author }, message: 'one' }
    const commit = repo.storeCommit(newCommit)
    parents.push('2'.repeat(40))
    newCommit.author.name = 'Eve'
    newCommit.message = 'two'
    const read = await repo.getCommit((await commit).oid)
    assert.deepEqual([read.commit.author?.name, read.commit.message], ['Ada', 'one'])

    // A client that has not yet asked for the object format waits for it before it sends these.
    const other = fixture.keep(createClient({ endpoint: fixture.server.http })).repository(`own/${index}`)
    for (const [place, each] of [other, repo].entries()) {
      const file: { content: string; mode?: '100755' } = { content: 'x' }
      const changes: Record<string, { content: string }> = { 'a.txt': file, 'b.txt': { content: 'y' } }
      const input = { branch: `b${place}`, changes, message: 'm', author: { ...author } }
      const options = { timeoutMs: 30_000 }
      const committed = each.commitFiles(input, options)
      delete changes['a.txt']
      file.content = 'changed'
      input.author.name = 'Eve'
      input.branch = 'elsewhere'
      options.timeoutMs = -1
      const { oid: head } = await committed
      assert.equal((await each.getCommit(`b${place}`)).commit.author?.name, 'Ada')
      const { content } = await each.getBlob({ revision: head, path: 'a.txt' })
      assert.equal(Buffer.from(content).toString(), 'x')

      const update = { name: `refs/heads/c${place}`, expectedOid: null, newOid: head }
      const moved = each.updateRefs([update])
      update.name = 'refs/heads/elsewhere'
      await moved

      const operations = [{ findMissing: { oids: [oid] } }, { storeBlob: { content: 'z' } }]
      const batch = each.batch(operations)
      operations.length = 0
      assert.equal((await batch).length, 2)
    }
    const input = { prefix: 'refs/heads/b' }
    const refs = repo.refs(input)
    input.prefix = 'refs/heads/'
    const names = []
    for await (const { name } of refs) names.push(name)
    assert.deepEqual(names, ['refs/heads/b0', 'refs/heads/b1'])
  }
})

type Loose = Record<string, (...values: unknown[]) => Promise<unknown>>

/** A call with arguments that only JavaScript can give, and the message of its refusal. */
type WrongCall = [name: string, values: unknown[], message: RegExp]

const commit = { branch: 'main', changes: { 'a.txt': 'x' }, message: 'm', author }
const wrongCalls: WrongCall[] = [
  [
    'commitFiles',
    [{ ...commit, expectedhead: null }],
    /^commitFiles at [^ ]+: expectedhead: unknown key; did you mean expectedHead\?/
  ],
  [
    'commitFiles',
    [{ ...commit, author: { ...author, date: 5 } }],
    /author\.date: unknown key; did you mean timeSeconds\?/
  ],
  [
    'commitFiles',
    [{ ...commit, changes: [{ path: 'a', content: 'x' }] }],
    /changes: must be an object of paths or a Map, such as/
  ],
  ['commitFiles', [{ ...commit, changes: new Set(['a']) }], /changes: must be an object of paths or a Map/],
  ['commitFiles', [{ ...commit, changes: Buffer.from('a') }], /changes: must be an object of paths or a Map/],
  [
    'commitFiles',
    [{ ...commit, changes: { a: { contents: 'x' } } }],
    /changes\["a"\]\.contents: unknown key; did you mean content\?/
  ],
  [
    'commitFiles',
    [{ ...commit, changes: { a: { content: 'x', oid: 'y' } } }],
    /changes\["a"\]: must have only one of content and oid/
  ],
  ['commitFiles', [{ ...commit, changes: { a: undefined } }], /changes\["a"\]: must be bytes, a string, null/],
  ['commitFiles', [{ ...commit, message: undefined }], /message: is required/],
  [
    'commitFiles',
    [commit, { timeoutms: 5 }],
    /^commitFiles at [^ ]+: timeoutms: unknown option; did you mean timeoutMs\?/
  ],
  [
    'commitFiles',
    [{ ...commit, author: { ...author, timeSeconds: 1_700_000_000_123 } }],
    /author\.timeSeconds: must be in seconds .* did you mean 1700000000/
  ],
  [
    'commitFiles',
    [{ ...commit, author: { ...author, timeSeconds: new Date(5000) } }],
    /author\.timeSeconds: .* not a Date; use Math\.floor\(date\.getTime\(\) \/ 1000\)/
  ],
  ['commitFiles', [{ ...commit, branch: 'refs/tags/v1' }], /branch: .*"v1" is short for "refs\/heads\/v1"/],
  ['commitFiles', [{ ...commit, branch: 'refs/v1' }], /branch: .*"v1" is short for "refs\/heads\/v1"/],
  ['commitFiles', [{ ...commit, branch: 'heads/v1' }], /branch: must be "v1" or "refs\/heads\/v1"/],
  [
    'storeCommit',
    [{ tree: 'x', message: 'm', author: { ...author, when: 5 } }],
    /author\.when: unknown key; did you mean timeSeconds\?/
  ],
  ['storeCommit', [{ tree: 'x', parent: 'y', message: 'm', author }], /parent: unknown key; did you mean parents\?/],
  ['storeBlob', ['x', { signals: 1 }], /^storeBlob at [^ ]+: signals: unknown option; did you mean signal\?/],
  ['storeBlob', [5], /^storeBlob at [^ ]+: content: must be a Uint8Array or a string/],
  ['storeBlob', ['x', { transport: '' }], /^storeBlob at [^ ]+: transport: must be one of/],
  [
    'storeBlob',
    ['x', { headers: new Map([['a', 'b']]) }],
    /^storeBlob at [^ ]+: headers: must be an object of names and values/
  ],
  ['storeBlob', ['x', 5], /options: must be an object of options, not 5/],
  ['getBlob', [{ revison: 'main', path: 'a' }], /^getBlob at [^ ]+: revison: unknown key; did you mean revision\?/],
  ['getBlob', [{ oid: 'x', path: 'a' }], /must be the address of a blob/],
  ['getBlob', [{ path: 'a' }], /must be the address of a blob/],
  ['findMissing', ['x'], /oids: must be a list, not "x"/],
  [
    'storeTree',
    [[{ path: 'a', mode: '100644', oid: 'x', name: 'y' }]],
    /^storeTree at [^ ]+: entries\[0\]\.name: unknown key; did you mean path\?/
  ],
  ['storeTree', [[], { basetree: 'x' }], /^storeTree at [^ ]+: basetree: unknown option; did you mean baseTree\?/],
  ['getTree', [{ recursiv: true }], /^getTree at [^ ]+: recursiv: unknown key; did you mean recursive\?/],
  ['getTree', [{ recursive: 'yes' }], /recursive: must be true or false, not "yes"/],
  ['getCommit', [5], /revision: must be a string, not 5/],
  ['listCommits', [{ pagesize: 5 }], /pagesize: unknown key; did you mean pageSize\?/],
  ['listCommits', [{ pageSize: 0 }], /pageSize: must be an integer of 1 or more, not 0/],
  ['listRefs', [{ prefx: 'x' }], /prefx: unknown key; did you mean prefix\?/],
  [
    'updateRefs',
    [[{ name: 'refs/heads/x', expectedOid: null, newoid: 'x' }]],
    /updates\[0\]\.newoid: unknown key; did you mean newOid\?/
  ],
  ['updateRefs', [[{ name: 'refs/heads/x', newOid: null }]], /updates\[0\]\.expectedOid: is required/],
  ['storeObject', [{ kind: 'file', content: 'x' }], /kind: must be one of blob, tree, commit, tag, not "file"/],
  ['storeObject', [{ content: 'x' }], /kind: is required/],
  ['storeObject', [{ kind: 'blob', content: 5 }], /content: must be a Uint8Array or a string/],
  ['storeObject', [{ kind: 'blob', content: 'x', check: true }], /check: must be strict or lenient, not true/],
  ['getObject', [{ oid: 'x', revision: 'y' }], /must be the address of an object/],
  ['getObject', [{ path: 'x' }], /must be the address of an object/],
  ['storeTag', [{ object: 'x', tag: 'v1', tagger: author, message: 'm' }], /tag: unknown key; did you mean name\?/],
  ['storeTag', [{ object: 'x', name: 'v1', message: 'm' }], /tagger: is required/],
  ['getTag', [{ revision: 'v1' }], /revision: must be a string/],
  ['getTag', [], /revision: is required/],
  ['compare', [{ base: 'x', heads: 'y' }], /heads: unknown key; did you mean head\?/],
  ['createRepository', [{ objectformat: 'sha1' }], /objectformat: unknown option; did you mean objectFormat\?/],
  ['createRepository', [{ objectFormat: 'sha512' }], /objectFormat: must be sha1 or sha256, not "sha512"/],
  ['getRepository', [{ timeout: 5 }], /timeout: unknown option; did you mean timeoutMs\?/],
  ['deleteRepository', [{ atomic: true }], /atomic: unknown option/],
  [
    'batch',
    [[{ storeBlob: { contnet: 'x' } }]],
    /^batch at [^ ]+: operations\[0\]\.storeBlob\.contnet: unknown key; did you mean content\?/
  ],
  ['batch', [[{ storeBlobs: {} }]], /unknown operation "storeBlobs"; did you mean storeBlob\?/],
  ['batch', [{ storeBlob: { content: 'x' } }], /operations: must be a list/],
  ['batch', [[], { atomc: true }], /atomc: unknown option; did you mean atomic\?/]
]

test('unknown keys and wrong shapes are refused before anything is sent', async (context) => {
  const fixture = atEnd(context, await testServer())
  for (const client of clientsOf(fixture)) {
    for (const [name, values, message] of wrongCalls) {
      for (const [target, all] of [
        [client, ['x', ...values]],
        [client.repository('x'), values]
      ] as const) {
        const call = (target as unknown as Loose)[name]?.(...all)
        await assert.rejects(call as Promise<unknown>, (error: BlobwireError) => {
          assert.deepEqual([error.code, error.sent], ['invalid_argument', 'never'], `${name}: ${error.message}`)
          assert.match(error.message, message)
          return true
        })
      }
    }
    const { listRepositories, getCapabilities } = client as unknown as Loose
    await assert.rejects(listRepositories?.call(client, { prefixes: 'x' }) as Promise<unknown>, /did you mean prefix\?/)
    await assert.rejects(getCapabilities?.call(client, { timeout: 1 }) as Promise<unknown>, /did you mean timeoutMs\?/)
    const commits = client.repository('x').commits({ revisions: 'x' } as object)
    await assert.rejects(commits.next(), /revisions: unknown key; did you mean revision\?/)
    assert.equal(client.stats().requests, 0)
  }
})

test('an author may be an instance of a class, and values that are false mean themselves', async (context) => {
  const fixture = atEnd(context, await testServer())
  class Person {
    get name() {
      return 'Ada'
    }
    get email() {
      return ''
    }
    get timeSeconds() {
      return 0
    }
  }
  for (const [index, client] of clientsOf(fixture).entries()) {
    const repo = client.repository(`false/${index}`)
    await repo.createRepository()
    const input = { changes: { empty: '' }, message: '', author: new Person() }
    const { oid } = await repo.commitFiles({ ...input, branch: 'main' })
    const [inBatch] = await repo.batch([{ commitFiles: { ...input, branch: 'other', expectedHead: null } }])
    assert.equal(inBatch.value?.oid, oid)
    const { commit } = await repo.getCommit(oid)
    assert.deepEqual([commit.author?.timeSeconds, commit.author?.email, commit.message], [0, '', ''])
    assert.equal((await repo.getBlob({ revision: 'main', path: 'empty' })).content.length, 0)
    await assert.rejects(
      repo.getBlob('x', { timeoutMs: 0 }),
      /^BlobwireError: getBlob at [^ ]+: timeoutMs: must be a number above 0, not 0/
    )
  }
})

test('a certificate that is a path is refused, and the refusal says how to read it', () => {
  const endpoint = 'https://127.0.0.1:1'
  const create = (tls: object) => () => createClient({ endpoint, tls })
  const shown = /^BlobwireError: tls\.ca: must be .*readFileSync\("\.\/ca\.pem"\)/
  assert.throws(create({ ca: './ca.pem' }), shown)
  assert.throws(create({ ca: ['./ca.pem'] }), shown)
  assert.throws(create({ ca: Buffer.from('abc') }), /tls\.ca: must be .* PEM/)
  // A key is never shown.
  assert.throws(create({ cert: '-----BEGIN CERTIFICATE-----', key: 'secret' }), (error: Error) => {
    assert.match(error.message, /^tls\.key: must be/)
    assert.ok(!error.message.includes('secret'))
    return true
  })
})
