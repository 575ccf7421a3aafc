/** Independent clients: Connect's own, buf curl, and gRPC's health check. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import * as grpc from '@grpc/grpc-js'
import { makeClientConstructor } from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { decodeProtobuf } from '../../src/codec/protobuf.ts'
import { childEnvironment } from '../support/child.ts'
import { type TestServer, testServer } from '../support/server.ts'
import { vcsService } from '../support/vcs-service.ts'

const run = promisify(execFile)
const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))
const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'

let fixture: TestServer
before(async () => {
  fixture = await testServer({ grants: [{ token: 'good', access: 'write', repositories: ['*'] }] })
})
after(() => fixture[Symbol.asyncDispose]())

type Unary = (request: object, options?: object) => Promise<Record<string, unknown>>

/** By default, the client speaks protobuf. */
const forms: Readonly<Record<string, { useBinaryFormat?: false; useHttpGet?: true; httpVersion: '1.1' | '2' }>> = {
  'protobuf-2': { httpVersion: '2' },
  'protobuf-get': { useHttpGet: true, httpVersion: '2' },
  'json-get': { useBinaryFormat: false, useHttpGet: true, httpVersion: '1.1' },
  'protobuf-1.1': { httpVersion: '1.1' },
  'json-2': { useBinaryFormat: false, httpVersion: '2' },
  'json-1.1': { useBinaryFormat: false, httpVersion: '1.1' }
}

for (const [form, options] of Object.entries(forms)) {
  test(`an unmodified Connect client: ${form}`, async () => {
    const transport = createConnectTransport({
      baseUrl: fixture.server.http,
      ...options,
      interceptors: [
        (next) => (request) => {
          request.header.set('authorization', 'Bearer good')
          return next(request)
        }
      ]
    })
    const client = createClient(await vcsService(), transport) as unknown as Record<string, Unary>
    const call = (name: string, request: object, options = {}) => {
      const method = client[name] ?? assert.fail(name)
      return method(request, options)
    }
    const repository = `connect-${form}`
    await call('createRepository', { repository })
    const stored = await call('storeBlob', { repository, content: Buffer.from('hello\n') })
    assert.deepEqual([stored['oid'], stored['size']], [helloOid, 6n])
    const large = Buffer.alloc(500_000, 'compress me ')
    const { oid } = await call('storeBlob', { repository, content: large })
    let isByGet = false
    const onHeader = (headers: Headers) => {
      isByGet = headers.has('etag')
    }
    const read = await call('getBlob', { repository, oid }, { onHeader })
    assert.equal(isByGet, form.endsWith('get'))
    assert.ok(large.equals(read['content'] as Uint8Array))
    const operations = [
      { operation: { case: 'storeBlob', value: { content: Buffer.from('hello\n') } } },
      { operation: { case: 'getBlob', value: { oid: 'ab'.repeat(20) } } }
    ]
    const { results } = (await call('batchOperations', { repository, operations })) as {
      results: { result: { case: string; value: { oid: string; code: string } } }[]
    }
    assert.deepEqual(
      results.map(({ result }) => result.case),
      ['storeBlob', 'error']
    )
    assert.equal(results[1]?.result.value.code, 'not_found')

    const zero = '0'.repeat(40)
    const expectedOid = 'ab'.repeat(20)
    const update = { name: 'refs/tags/x', expectedOid, newOid: helloOid }
    await assert.rejects(call('updateRefs', { repository, updates: [update] }), (error) => {
      assert.ok(error instanceof ConnectError)
      assert.equal(error.code, Code.Aborted)
      const [detail] = error.details as { type: string; value: Uint8Array }[]
      assert.equal(detail?.type, 'blobwire.v1.ErrorDetail')
      const { reason, refMismatches } = decodeProtobuf('ErrorDetail', detail?.value ?? new Uint8Array(0))
      assert.equal(reason, 'ref_mismatch')
      assert.deepEqual(refMismatches, [{ name: 'refs/tags/x', expectedOid, foundOid: zero }])
      return true
    })
    await assert.rejects(call('getRepository', { repository: 'none' }), { code: Code.NotFound })
    await assert.rejects(call('queryUpload', { repository, uploadId: 'none' }), { code: Code.NotFound })
  })
}

async function bufCurl(method: string, request: object, ...more: string[]) {
  const url = `${fixture.server.grpc}/${method}`
  const flags = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...more, '-d', JSON.stringify(request), url]
  try {
    const { stdout } = await run(buf, flags, { cwd: '/', env: childEnvironment })
    return { ok: true, answer: JSON.parse(stdout || '{}') }
  } catch (error) {
    const { stderr } = error as { stderr: string }
    return { ok: false, answer: JSON.parse(stderr.slice(stderr.indexOf('{'))) }
  }
}

test('buf curl over gRPC, with the schema from server reflection', async () => {
  const token = ['-H', 'authorization: Bearer good']
  const service = 'blobwire.v1.VcsService'
  assert.ok((await bufCurl(`${service}/CreateRepository`, { repository: 'curl', objectFormat: 'sha256' }, ...token)).ok)
  const content = Buffer.from('hello\n').toString('base64')
  const stored = await bufCurl(`${service}/StoreBlob`, { repository: 'curl', content }, ...token)
  const oid = '2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4'
  assert.deepEqual(stored, { ok: true, answer: { oid, size: '6' } })
  const missing = await bufCurl(`${service}/GetBlob`, { repository: 'curl', oid: 'ab'.repeat(32) }, ...token)
  assert.equal(missing.answer.code, 'not_found')
  assert.equal(missing.answer.details[0].type, 'blobwire.v1.ErrorDetail')
  const detail = decodeProtobuf('ErrorDetail', Buffer.from(missing.answer.details[0].value, 'base64'))
  assert.equal(detail.reason, 'object', JSON.stringify(missing.answer))
  assert.equal((await bufCurl(`${service}/GetBlob`, { repository: 'curl', oid })).answer.code, 'unauthenticated')
  assert.equal((await bufCurl(`${service}/Session`, {}, ...token)).answer.code, 'invalid_argument')
})

test('refusals reach Go’s client while it still sends', async () => {
  const content = Buffer.alloc(750_000).toString('base64')
  const method = 'blobwire.v1.VcsService/StoreBlob'
  const directory = await mkdtemp(join(tmpdir(), 'blobwire-refusal-'))
  const file = join(directory, 'request.json')
  await writeFile(file, JSON.stringify({ repository: 'curl', content }))
  try {
    // Without a token over gRPC; with Connect's binary form over HTTP/2 and HTTP/1.1.
    const cases: [url: string, flags: string[], answer: RegExp][] = [
      [fixture.server.grpc, ['--protocol', 'grpc', '--http2-prior-knowledge'], /unauthenticated/],
      [fixture.server.http, ['--protocol', 'connect', '--http2-prior-knowledge'], /unauthenticated/],
      [fixture.server.http, ['--protocol', 'connect'], /unauthenticated/]
    ]
    for (const [url, flags, answer] of cases) {
      const schema = fileURLToPath(new URL('../../proto', import.meta.url))
      const call = run(buf, ['curl', '--schema', schema, ...flags, '-d', `@${file}`, `${url}/${method}`], {
        cwd: '/',
        env: childEnvironment
      })
      await assert.rejects(call, (error: { stderr: string }) => answer.test(error.stderr), flags.join(' '))
    }
  } finally {
    await rm(directory, { recursive: true })
  }
})

for (const httpVersion of ['2', '1.1'] as const) {
  test(`a Connect client without a token is refused each time, over HTTP/${httpVersion}`, async () => {
    const transport = createConnectTransport({ baseUrl: fixture.server.http, httpVersion })
    const client = createClient(await vcsService(), transport) as unknown as Record<string, Unary>
    const content = Buffer.alloc(300_000)
    for (let count = 0; count < 5; count++) {
      const refused = client['storeBlob']?.({ repository: 'connect', content }) ?? assert.fail()
      await assert.rejects(refused, { code: Code.Unauthenticated })
    }
  })
}

test('gRPC health, without a token', async () => {
  const Health = makeClientConstructor(healthService as grpc.ServiceDefinition, 'grpc.health.v1.Health')
  const client = new Health(new URL(fixture.server.grpc).host, grpc.credentials.createInsecure())
  const check = client['check'] as (request: object, callback: (error: Error | null, answer: object) => void) => void
  for (const service of ['', 'blobwire.v1.VcsService']) {
    const answer = await promisify(check.bind(client))({ service })
    assert.deepEqual(answer, { status: 'SERVING' })
  }
  await assert.rejects(promisify(check.bind(client))({ service: 'other' }), { code: grpc.status.NOT_FOUND })
  client.close()
})
