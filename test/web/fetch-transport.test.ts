/** The client for other runtimes than Node, on the `fetch` of Node, against the server. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ClientOptions } from '../../src/index.ts'
import { everyRpc } from '../cases/every-rpc.ts'
import { fetchOfNode, inPage } from '../support/page.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { importWeb } from '../support/web-graph.ts'

const { createClient, blobOid, BlobwireError } = await importWeb<typeof import('../../src/index.ts')>('index.ts')

type Options = Partial<ClientOptions>

let fixture: TestServer
before(async () => {
  fixture = await testServer()
})
after(() => fixture[Symbol.asyncDispose]())

const newClient = (options: Options = {}) => createClient({ endpoint: fixture.server.http, ...options })

const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7919 + (index >> 9)) & 255)

async function* pieces() {
  for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000)
}

async function* _nothing(): AsyncGenerator<Uint8Array> {}

describe('calls', () => {
  for (const transport of ['json', 'msgpack'] as const) {
    test(`every call, ${transport}, as over sessions`, async (context) => {
      const client = atEnd(context, newClient({ transport }))
      const found = await everyRpc(client, `web/${transport}`, 'sha1')
      const expected = await everyRpc(fixture.client({ transport }), `node/${transport}`, 'sha1')
      assert.deepEqual(found, expected)
      const { batching, noSessionReason, sessions } = client.stats()
      assert.deepEqual([batching, noSessionReason, sessions], ['unary', 'fetch', 0])
    })
  }

  test('concurrent calls travel in few requests', async (context) => {
    const client = atEnd(context, newClient())
    await client.createRepository('web/many')
    const before = client.stats().requests
    await Promise.all(Array.from({ length: 200 }, (_, index) => client.storeBlob('web/many', `content ${index}`)))
    const requests = client.stats().requests - before
    assert.ok(requests <= 20, `${requests} requests`)
  })

  test('an answer above maxResponseBytes is refused, also where it was compressed', async (context) => {
    const client = atEnd(context, newClient({ maxResponseBytes: 2000, retry: false }))
    await client.createRepository('web/large')
    const { oid } = await client.storeBlob('web/large', new Uint8Array(100_000))
    await assert.rejects(client.getBlob('web/large', oid), { reason: 'response_too_large' })
    const other = atEnd(context, newClient())
    assert.equal((await other.getBlob('web/large', oid)).size, 100_000)
  })
})

describe('transfers', () => {
  async function transfer(transport: 'json' | 'msgpack', repository: string): Promise<number> {
    const client = newClient({ transport })
    try {
      await client.createRepository(repository)
      const repo = client.repository(repository)
      const before = client.stats().requests
      const { oid } = await repo.upload(pieces())
      assert.equal(oid, blobOid(content))
      assert.deepEqual(await repo.download(oid).bytes(), content)
      assert.deepEqual(await repo.download(oid, { start: 7, end: 1_500_000 }).bytes(), content.subarray(7, 1_500_000))
      assert.equal((await repo.upload(new Blob([content]))).oid, oid)
      const none = repo.download('1'.repeat(40), { start: 1, end: 2 })
      await assert.rejects(none.bytes(), { code: 'not_found' })
      return client.stats().requests - before
    } finally {
      await client.close()
    }
  }

  test('a blob goes up and down, as streams', async () => {
    await transfer('msgpack', 'web/streams')
  })

  test('a page without streams of bodies sends a blob in parts', async () => {
    const uploads: { how: string; status: number; isLast: boolean; digest: string | undefined }[] = []
    const send: typeof fetch = async (input, init) => {
      const { method, body, headers } = (init ?? {}) as {
        method: string
        body: unknown
        headers: Record<string, string>
      }
      const own = Object.keys(headers).filter((name) => /^(accept-encoding|content-length|user-agent)$/.test(name))
      assert.deepEqual(own, [])
      const response = await fetchOfNode(input, init)
      const { 'upload-complete': complete, 'repr-digest': digest } = headers
      const how = `${method} ${body instanceof Uint8Array}`
      if (complete !== undefined) uploads.push({ how, status: response.status, isLast: complete === '?1', digest })
      return response
    }
    await inPage({ origin: 'http://app.example' }, () => transfer('json', 'web/parts').then(() => undefined), send)
    const [first, ...others] = uploads
    const last = others.pop()
    assert.ok(others.length > 0)
    assert.deepEqual(first, { how: 'POST true', status: 201, isLast: false, digest: undefined })
    for (const each of others)
      assert.deepEqual(each, { how: 'PATCH true', status: 204, isLast: false, digest: undefined })
    assert.deepEqual([last?.how, last?.isLast, typeof last?.digest], ['PATCH true', true, 'string'])
  })

  test('the error of a source is that of the upload', async (context) => {
    const client = atEnd(context, newClient())
    await client.createRepository('web/source')
    const broken = async function* () {
      yield content
      throw new Error('the disk is gone')
    }
    await assert.rejects(client.repository('web/source').upload(broken()), { reason: 'source_failed' })
  })

  test('a watch is told of commits, and ends', async (context) => {
    const client = atEnd(context, newClient())
    await client.createRepository('web/watch')
    const repo = client.repository('web/watch')
    const updates = repo.watch()
    assert.equal((await updates.next()).value?.kind, 'start')
    const author = { name: 'A', email: 'a@example.com' }
    await repo.commitFiles({ branch: 'main', changes: { 'a.txt': 'a' }, message: 'first', author })
    const { value } = await updates.next()
    assert.deepEqual(
      value?.moves.map(({ name }) => name),
      ['refs/heads/main']
    )
    await updates.return()
  })
})

describe('options', () => {
  const rejected = (options: Options) => {
    try {
      newClient(options)
    } catch (error) {
      return (error as InstanceType<typeof BlobwireError>).details.violations?.map(({ field }) => field)
    }
    return undefined
  }

  test('options that cannot be followed are refused', () => {
    assert.deepEqual(rejected({ transport: 'grpc' }), ['transport'])
    assert.deepEqual(rejected({ endpoint: 'grpc://127.0.0.1:4101' }), ['transport'])
    assert.deepEqual(rejected({ connection: { proxy: 'http://proxy.example:3128' } }), ['connection.proxy'])
    const tls = { serverName: 'server.example', rejectUnauthorized: false }
    assert.deepEqual(rejected({ environment: 'testing', tls }), ['tls.serverName', 'tls.rejectUnauthorized'])
  })

  test('options that only tune connections are told', (context) => {
    const { mock } = context.mock.method(console, 'warn', () => undefined)
    assert.equal(rejected({ connection: { maxConnections: 2, idleTimeoutMs: 5000 } }), undefined)
    assert.match(String(mock.calls[0]?.arguments), /connection\.maxConnections, connection\.idleTimeoutMs/)
    assert.equal(rejected({}), undefined)
    assert.equal(mock.callCount(), 1)
  })

  test('files are refused, with what there is instead', async (context) => {
    const client = atEnd(context, newClient())
    await client.createRepository('web/files')
    const { oid } = await client.storeBlob('web/files', 'a')
    const repo = client.repository('web/files')
    await assert.rejects(repo.download(oid).toFile('a'), {
      reason: 'not_in_runtime',
      message: /use stream\(\) or bytes\(\)/
    })
    await assert.rejects(repo.checkout('there', {}), { reason: 'not_in_runtime', message: /readFiles/ })
    await assert.rejects(repo.upload({ file: 'a' }), { reason: 'source_failed' })
  })

  test('a call that asks for gRPC is refused', async (context) => {
    const client = atEnd(context, newClient())
    await assert.rejects(client.getBlob('web/none', '0'.repeat(40), { transport: 'grpc' }), {
      reason: 'not_in_runtime'
    })
  })
})
