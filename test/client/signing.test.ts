/** Signed commits: the application signs the bytes that Git verifies, on the head that the branch has. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Change, Client, ClientOptions, CommitFilesInput, ObjectFormat } from '../../src/index.ts'
import { transports } from '../support/faulty-network.ts'
import { GitRepository } from '../support/git.ts'
import { seal, verifyingBySeal } from '../support/seal.ts'
import { atEnd, testServer } from '../support/server.ts'

const author = { name: 'Ada', email: 'ada@example.org' }
const commit = { branch: 'main', message: 'Signed\n', author, sign: seal }

async function repositoryOf(
  context: TestContext,
  options: Partial<ClientOptions> = {},
  objectFormat: ObjectFormat = 'sha1'
) {
  const fixture = atEnd(context, await testServer({ store: 'git', gitStore: { housekeeping: false } }))
  const repo = fixture.client(options).repository('demo')
  await repo.createRepository({ objectFormat })
  return { fixture, repo, git: (args: readonly string[]) => gitOf(context, join(fixture.data, 'demo.git'), args) }
}

function gitOf(context: TestContext, directory: string, args: readonly string[]) {
  const git = new GitRepository(context, 'sha1')
  assert.ok(existsSync(directory))
  return git.try([...verifyingBySeal(git.directory), '--git-dir', directory, ...args])
}

for (const transport of transports) {
  test(`Git verifies the commits (${transport})`, async (context) => {
    const { repo, git } = await repositoryOf(context, { transport })
    const first = await repo.commitFiles({ ...commit, changes: { 'a.txt': 'a', 'b/c.txt': 'c' } })
    assert.deepEqual([first.result, first.parents], ['created', []])
    const committer = { ...author, name: 'Grace', timeSeconds: 1_700_000_000, zone: '+0130' }
    const second = await repo.commitFiles({
      ...commit,
      committer,
      changes: {
        'a.txt': null,
        moved: { moveFrom: 'b/c.txt', expectedOid: (await repo.getBlob({ revision: 'main', path: 'b/c.txt' })).oid }
      },
      guards: { absent: null },
      sign: async (object) => new TextEncoder().encode(seal(object).replaceAll('\n', '\r\n'))
    })
    assert.deepEqual([second.result, second.parents], ['moved', [first.oid]])
    assert.deepEqual(
      (await repo.getTree()).entries.map(({ path }) => path),
      ['moved']
    )
    const log = git(['log', '--format=%H %G? %cn %ct'])
    const [last, before] = log.text.trim().split('\n')
    assert.equal(last, `${second.oid} G Grace 1700000000`)
    assert.equal(before, `${first.oid} G Ada ${first.timeSeconds}`)
    assert.deepEqual(git(['fsck', '--strict']).ok, true)
  })
}

for (const objectFormat of ['sha1', 'sha256'] as const) {
  test(`Git verifies commits and tags without a branch (${objectFormat})`, async (context) => {
    const { repo, git } = await repositoryOf(context, {}, objectFormat)
    const { tree } = await repo.commitFiles({ ...commit, changes: { 'a.txt': 'a' } })
    const { oid } = await repo.storeCommit({ tree, author, message: 'm', sign: seal })
    const tag = { object: oid, kind: 'commit', name: 'v1', tagger: author, message: 'Version 1\n', sign: seal } as const
    const { oid: newOid } = await repo.storeTag(tag)
    const { tag: read } = await repo.getTag(newOid)
    assert.deepEqual(
      [read.object, read.message.split('\n').slice(0, 2)],
      [oid, ['Version 1', seal(new Uint8Array()).split('\n')[0]]]
    )
    await repo.updateRefs([{ name: 'refs/tags/v1', expectedOid: null, newOid }])
    for (const verify of [
      ['verify-commit', 'main'],
      ['verify-commit', oid],
      ['verify-tag', 'v1'],
      ['fsck', '--strict']
    ]) {
      const { ok, text } = git(verify)
      assert.ok(ok, text)
    }
    const unasked = () => assert.fail('the application was asked to sign')
    await assert.rejects(repo.storeTag({ ...tag, message: 'No line feed', sign: unasked }), {
      code: 'invalid_argument',
      message: /message: must end with a line feed \("\\n"\) where the tag is signed$/
    })
    await assert.rejects(repo.storeTag({ ...tag, kind: undefined }), {
      code: 'invalid_argument',
      message: /kind: is required where the tag is signed, such as 'commit'$/
    })
    const missing = { ...tag, object: oid.replaceAll(/./g, '1') }
    await assert.rejects(repo.storeTag(missing), { reason: 'missing_object' })
  })
}

test('writers of signed and other commits on one branch: none is lost, and each signature is right', async (context) => {
  const { repo, git } = await repositoryOf(context)
  const add = (index: number) => ({
    ...commit,
    changes: { [`${index}`]: '' },
    ...(index % 4 > 0 && { sign: undefined })
  })
  const made = await Promise.all(Array.from({ length: 24 }, (_, index) => repo.commitFiles(add(index))))
  const text = git(['log', '--format=%H %G?']).text.trim()
  const expected = made.map(({ oid }, index) => `${oid} ${index % 4 > 0 ? 'N' : 'G'}`)
  assert.deepEqual(text.split('\n').sort(), expected.sort())
  assert.equal((await repo.getTree()).entries.length, 24)
})

test('the list of changes is longer than a request', async (context) => {
  const fixture = atEnd(context, await testServer({ limits: { maxBatchBytes: 16 * 1024, maxBatchOperations: 50 } }))
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const changes = Object.fromEntries(
    Array.from({ length: 900 }, (_, index): [string, Change] => [`d${index % 7}/${index}`, `${index}`])
  )
  await repo.commitFiles({ ...commit, changes })
  const { tree } = await repo.commitFiles({ ...commit, changes: { ...changes, more: '' } })
  assert.equal(tree, (await repo.commitFiles({ ...commit, sign: undefined, changes: { more: '' } })).tree)
})

test('a branch that is not as expected: nothing is signed for another head', async (context) => {
  const { repo } = await repositoryOf(context)
  const { oid } = await repo.commitFiles({ ...commit, changes: { a: '' } })
  await repo.commitFiles({ ...commit, changes: { b: '' } })
  let signatures = 0
  const sign = (object: Uint8Array) => {
    signatures++
    return seal(object)
  }
  const late = { ...commit, changes: { c: '' }, sign }
  await assert.rejects(repo.commitFiles({ ...late, expectedHead: oid }), { reason: 'ref_mismatch' })
  await assert.rejects(repo.commitFiles({ ...late, expectedHead: null }), { reason: 'ref_mismatch' })
  await assert.rejects(repo.commitFiles({ ...late, changes: { a: { content: 'x', expectedOid: oid } } }), {
    reason: 'path_mismatch'
  })
  await assert.rejects(repo.commitFiles({ ...late, changes: { absent: null } }), { reason: 'path_not_found' })
  assert.equal(signatures, 0)

  // Somebody moves the branch while the commit is being signed.
  const race = async (object: Uint8Array) => {
    await repo.commitFiles({ ...commit, changes: { [`theirs ${signatures++}`]: '' } })
    return seal(object)
  }
  const head = (await repo.getCommit('main')).commit.oid
  await assert.rejects(repo.commitFiles({ ...late, sign: race, expectedHead: head }), { reason: 'ref_mismatch' })
  const once = (object: Uint8Array) => (signatures > 1 ? seal(object) : race(object))
  const { parents } = await repo.commitFiles({ ...late, sign: once })
  const theirs = (await repo.listCommits({ revision: 'main' })).commits[1]
  assert.deepEqual(parents, [theirs?.oid])
})

test('a call that is made again under its key by another process: one commit, and its answer', async (context) => {
  const { fixture, repo } = await repositoryOf(context)
  await repo.commitFiles({ ...commit, changes: { 'to/move': 'x' } })
  const { oid: head } = await repo.commitFiles({ ...commit, changes: { b: '' } })
  // Each signature is another one, as those of a key are.
  let signatures = 0
  const sign = (object: Uint8Array) => seal(object).replace('\n\n', `\nComment: ${signatures++}\n\n`)
  const jobs: (CommitFilesInput & { sign: typeof sign })[] = [
    { ...commit, changes: { moved: { moveFrom: 'to/move' } }, sign, expectedHead: head },
    { ...commit, changes: { again: { moveFrom: 'moved' } }, sign },
    { ...commit, changes: { more: 'x' }, sign }
  ]
  for (const [index, job] of jobs.entries()) {
    const requestKey = `job-${index}`
    const connect = (): Client => fixture.client()
    const first = await connect().commitFiles('demo', job, { requestKey })
    await repo.commitFiles({ ...commit, changes: { [`later-${index}`]: '' } })
    assert.deepEqual(await connect().commitFiles('demo', job, { requestKey }), first)
    const other = { ...job, message: 'Other\n' }
    await assert.rejects(connect().commitFiles('demo', other, { requestKey }), { reason: 'request_key_reused' })
  }
  assert.equal((await repo.listCommits({ revision: 'main' })).commits.length, 8)
})

test('a function that fails, returns no signature, or never answers: nothing is committed', async (context) => {
  const { repo } = await repositoryOf(context)
  const { oid } = await repo.commitFiles({ ...commit, changes: { a: '' } })
  const attempt = (sign: unknown, options = {}) =>
    repo.commitFiles({ ...commit, changes: { b: '' }, sign: sign as typeof seal }, options)
  const cause = new Error('no key')
  await assert.rejects(
    attempt(() => Promise.reject(cause)),
    { code: 'failed_precondition', reason: 'signing', message: /: sign\(\) failed: no key$/, cause }
  )
  await assert.rejects(
    attempt(() => {
      throw cause
    }),
    { reason: 'signing', cause }
  )
  for (const sign of [() => 'no armour', () => undefined, () => '']) {
    await assert.rejects(attempt(sign), {
      code: 'invalid_argument',
      message: /sign: must return an armoured signature/
    })
  }
  await assert.rejects(attempt('a key'), { code: 'invalid_argument', message: /sign: must be a function/ })
  await assert.rejects(
    attempt(() => new Promise(() => {}), { timeoutMs: 200 }),
    { code: 'deadline_exceeded' }
  )
  const aborted = AbortSignal.abort()
  await assert.rejects(attempt(seal, { signal: aborted }), { code: 'cancelled' })
  assert.equal((await repo.getCommit('main')).commit.oid, oid)
  const changes = { b: '' }
  const operation = { commitFiles: { ...commit, changes } }
  await assert.rejects(repo.batch([operation as never]), { code: 'invalid_argument', message: /sign/ })
})

test('the server takes a commit that its caller made only for the head that the caller expects', async (context) => {
  const fixture = atEnd(context, await testServer())
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const { oid, tree } = await repo.commitFiles({ ...commit, changes: { a: '' } })
  const child = await repo.storeCommit({ tree, parents: [oid], author, message: 'm\n' })
  const { content } = await repo.getObject({ oid: child.oid })
  const call = async (request: object, key?: string) => {
    const [method, body] = key ? ['Apply', { requestKey: key, commitFiles: request }] : ['CommitFiles', request]
    const response = await fetch(`${fixture.server.http}/blobwire.v1.VcsService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ repository: 'demo', ...(body as object) })
    })
    const answer = (await response.json()) as { code?: string; message?: string; result?: string }
    return answer.message ?? answer.result ?? ''
  }
  const made = { branch: 'main', expectedHead: oid, commitObject: Buffer.from(content).toString('base64') }
  assert.match(await call({ ...made, expectedHead: '' }), /^expectedHead: must be given/)
  assert.match(await call({ ...made, message: 'x' }), /^commitObject: must come without/)
  assert.match(await call({ ...made, commitObject: 'AAAA' }), /^commitObject: must be the content of a commit/)
  assert.match(
    await call({ ...made, branch: 'new', expectedHead: '0'.repeat(40) }),
    /^commitObject: must have the expected head/
  )
  assert.match(await call({ branch: 'main', prepare: true }, 'key'), /^prepare: must come without a key/)
  assert.match(await call({ branch: 'main', prepare: true, message: 'x' }), /^prepare: must come without author/)
  assert.equal((await repo.getCommit('main')).commit.oid, oid)
  assert.equal(await call(made), 'moved')
  assert.equal((await repo.getCommit('main')).commit.oid, child.oid)
})

test('a server that answers with another commit than the signed one is not believed', async (context) => {
  const fixture = atEnd(context, await testServer())
  const first = fixture.client().repository('demo')
  await first.createRepository()
  const { oid, tree } = await first.commitFiles({ ...commit, changes: { a: '' } })
  const other = await first.storeCommit({ tree, parents: [oid], author, message: 'Signed\n' })
  const lying = fixture.client({
    interceptors: [
      {
        async request(one, next) {
          const answer = await next(one)
          return one.method === 'commitFiles' && !one.message.prepare
            ? ({ ...answer, oid: other.oid } as typeof answer)
            : answer
        }
      }
    ]
  })
  const forged = lying.commitFiles('demo', { ...commit, changes: {} })
  await assert.rejects(forged, { code: 'data_loss', reason: 'integrity' })
})

test('a server that knows nothing of prepared commits makes none', async (context) => {
  const fixture = atEnd(context, await testServer())
  const repo = fixture.client().repository('demo')
  await repo.createRepository()
  const { oid } = await repo.commitFiles({ ...commit, changes: { a: '' } })
  const older = fixture.client({
    interceptors: [
      {
        request: (one, next) =>
          one.method === 'commitFiles' ? next({ ...one, message: { ...one.message, prepare: false } }) : next(one)
      }
    ]
  })
  await assert.rejects(older.commitFiles('demo', { ...commit, changes: { b: '' } }), { code: 'unimplemented' })
  assert.equal((await repo.getCommit('main')).commit.oid, oid)
})

test('a call that ends while it is signed says so, and that nothing was sent', async (context) => {
  const { repo } = await repositoryOf(context)
  const endless = { ...commit, changes: { a: '' }, sign: () => new Promise<string>(() => {}) }
  const late = { code: 'deadline_exceeded', sent: 'never', message: /: sign\(\) took all the time that the call had$/ }
  await assert.rejects(repo.commitFiles(endless, { timeoutMs: 200 }), late)
  const signal = AbortSignal.timeout(200)
  await assert.rejects(repo.commitFiles(endless, { signal }), {
    code: 'deadline_exceeded',
    sent: 'never',
    message: /AbortSignal.timeout/
  })
})
