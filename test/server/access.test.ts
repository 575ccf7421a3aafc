/** Tokens: how they are read from a file, the access they give, and that no output shows them. */
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAuthenticator, type Grant, readGrants } from '../../server-fixture/auth.ts'
import { Service } from '../../server-fixture/service/service.ts'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { Messages } from '../../src/schema/messages.ts'

const secret = 'Sup3rS3cretT0ken'
const grant = (more: Partial<Grant>): Grant => ({ token: secret, access: 'write', repositories: ['*'], ...more })

test('an unusable file of grants fails with the place, and shows no token', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-grants-'))
  context.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'tokens.json')
  const sound = grant({})
  const cases: [string, RegExp][] = [
    [`[{"token": ${secret}}]`, /must be JSON/],
    [`${JSON.stringify([sound])}${secret}`, /must be JSON/],
    [JSON.stringify(sound), /must be a list/],
    [JSON.stringify([sound, { ...sound, token: `${secret} x` }]), /\[1\]\.token/],
    [JSON.stringify([sound, sound]), /\[1\]\.token: must not be repeated/],
    [JSON.stringify([null]), /\[0\]\.token/],
    [JSON.stringify([{ ...sound, access: 'admin' }]), /\[0\]\.access/],
    [JSON.stringify([{ ...sound, repositories: 'demo' }]), /\[0\]\.repositories/],
    [JSON.stringify([{ ...sound, expires: 'soon' }]), /\[0\]\.expires/]
  ]
  for (const [text, message] of cases) {
    await writeFile(file, text)
    await assert.rejects(readGrants(file), (error: Error) => {
      assert.match(error.message, message)
      assert.doesNotMatch(String(error.stack), new RegExp(secret))
      return true
    })
  }
  await writeFile(file, JSON.stringify([sound]))
  assert.deepEqual(await readGrants(file), [{ ...sound, expires: undefined }])
})

test('the caller is identified by one form of one header', () => {
  const authenticator = createAuthenticator([grant({}), grant({ token: 'old', expires: '2020-01-01T00:00:00Z' })])
  const cases: [string | undefined, string][] = [
    [undefined, 'no_token'],
    ['', 'no_token'],
    [secret, 'bad_token'],
    [`Basic ${secret}`, 'bad_token'],
    [`Bearer ${secret}x`, 'bad_token'],
    [`Bearer ${secret.toLowerCase()}`, 'bad_token'],
    [`Bearer  ${secret} `, 'bad_token'],
    ['Bearer __proto__', 'bad_token'],
    [`Bearer ${'x'.repeat(60_000)}`, 'bad_token'],
    ['Bearer old', 'expired_token']
  ]
  for (const [header, reason] of cases) {
    assert.throws(
      () => authenticator.authenticate('StoreBlob', header),
      (error: Error & { code: string; reason: string; retryable: boolean }) => {
        assert.deepEqual(
          [error.code, error.reason, error.retryable],
          ['unauthenticated', reason, false],
          String(header)
        )
        assert.ok(!error.message.includes(secret))
        return true
      }
    )
  }
  assert.ok(authenticator.authenticate('StoreBlob', `bearer ${secret}`).may('write', 'any/thing'))
  assert.ok(authenticator.authenticate('GetCapabilities', undefined), 'capabilities need no token')
})

test('patterns of repositories: a name, all below a name, all', () => {
  const { authenticate } = createAuthenticator([grant({ access: 'read', repositories: ['demo', 'team/*'] })])
  const principal = authenticate('StoreBlob', `Bearer ${secret}`)
  const may = (repository: string) => principal.may('read', repository)
  assert.deepEqual(['demo', 'demo2', 'demo/x', 'team', 'team/a', 'team/a/b', 'teams/a'].map(may), [
    true,
    false,
    false,
    false,
    true,
    true,
    false
  ])
  assert.ok(!principal.may('write', 'demo'))
})

test('another tenant’s repository looks like a missing one, to every call', async () => {
  const store = new MemoryStore()
  const service = new Service(store, { serverVersion: '0', onInternalError: (error) => assert.fail(String(error)) })
  for (const name of ['mine', 'readable', 'theirs']) await store.createRepository(name, 'sha1')
  const { authenticate } = createAuthenticator([
    grant({ repositories: ['mine', 'absent'] }),
    grant({ token: 'reader', access: 'read', repositories: ['readable', 'mine'] })
  ])
  const call = (token: string, method: string, request: object) => {
    const principal = authenticate(method, `Bearer ${token}`)
    const context = { principal, signal: new AbortController().signal, requestId: 'r' }
    return service.call(method, request, context)
  }
  const outcome = (token: string, method: string, request: object) =>
    call(token, method, request).then(
      () => 'done',
      ({ code, reason, message }) => `${code} ${reason} ${message.replace(/theirs|absent/, 'NAME')}`
    )
  const content = Buffer.from('x')
  for (const [method, request] of [
    ['GetRepository', {}],
    ['StoreBlob', { content }],
    ['FindMissing', { oids: [] }],
    ['BatchOperations', { operations: [], atomic: false }]
  ] as const) {
    const theirs = await outcome(secret, method, { ...request, repository: 'theirs' })
    assert.match(theirs, /^not_found repository/, method)
    assert.equal(theirs, await outcome(secret, method, { ...request, repository: 'absent' }), method)
  }
  assert.match(await outcome(secret, 'DeleteRepository', { repository: 'theirs' }), /^not_found/)
  assert.match(await outcome(secret, 'CreateRepository', { repository: 'theirs', objectFormat: '' }), /^permission_d/)
  assert.match(await outcome('reader', 'StoreBlob', { repository: 'readable', content }), /^permission_denied/)
  const operations = [{ storeBlob: { repository: '', content } }, { findMissing: { repository: '', oids: [] } }]
  const batch = { repository: 'readable', operations, atomic: false }
  const { results } = (await call('reader', 'BatchOperations', batch)) as Messages['BatchOperationsResponse']
  assert.deepEqual(
    results.map(({ error }) => error?.code),
    ['permission_denied', undefined]
  )
  const page = { prefix: '', pageSize: 1, pageToken: '' }
  const listed = (await call('reader', 'ListRepositories', page)) as Messages['ListRepositoriesResponse']
  assert.deepEqual(
    listed.repositories.map(({ repository }) => repository),
    ['mine']
  )
  const next = { ...page, pageToken: listed.nextPageToken }
  const last = (await call('reader', 'ListRepositories', next)) as Messages['ListRepositoriesResponse']
  assert.deepEqual([last.repositories.map(({ repository }) => repository), last.nextPageToken], [['readable'], ''])
})
