/** The client for other runtimes than Node, on the `fetch` of Node, against the server. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ClientOptions } from '../../src/index.ts'
import { everyRpc } from '../cases/every-rpc.ts'
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

/** Runs the test as in a page of a browser, and with its `fetch`. */
async function inPage(
  page: { origin: string; onLine?: boolean },
  run: () => Promise<void>,
  send = fetch
): Promise<void> {
  const before = { fetch, location: undefined, navigator: Object.getOwnPropertyDescriptor(globalThis, 'navigator') }
  const { origin, onLine = true } = page
  Object.assign(globalThis, { fetch: send, location: { origin, protocol: `${new URL(origin).protocol}` } })
  Object.defineProperty(globalThis, 'navigator', { value: { onLine }, configurable: true })
  try {
    await run()
  } finally {
    Object.assign(globalThis, { fetch: before.fetch, location: before.location })
    if (before.navigator) Object.defineProperty(globalThis, 'navigator', before.navigator)
  }
}

const content = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7919 + (index >> 9)) & 255)

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
  })
})

describe('transfers', () => {
  async function transfer(transport: 'json' | 'msgpack', repository: string): Promise<number> {
    const client = newClient({ transport })
    try {
      await client.createRepository(repository)
      const repo = client.repository(repository)
      const before = client.stats().requests
      async function* pieces() {
        for (let at = 0; at < content.length; at += 100_000) yield content.subarray(at, at + 100_000)
      }
      const { oid } = await repo.upload(pieces())
      assert.equal(oid, blobOid(content))
      assert.deepEqual(await repo.download(oid).bytes(), content)
      assert.deepEqual(await repo.download(oid, { start: 7, end: 1_500_000 }).bytes(), content.subarray(7, 1_500_000))
      assert.equal((await repo.upload(new Blob([content]))).oid, oid)
      return client.stats().requests - before
    } finally {
      await client.close()
    }
  }

  test('a blob goes up and down, as streams', async () => {
    await transfer('msgpack', 'web/streams')
  })

  test('a page without streams of bodies sends a blob in parts', async () => {
    const uploads: string[] = []
    const send: typeof fetch = (input, init) => {
      const { method, body } = init ?? {}
      if (String(input).includes('/uploads/')) uploads.push(`${method} ${body instanceof Uint8Array}`)
      return fetchOfNode(input, init)
    }
    await inPage({ origin: 'http://app.example' }, () => transfer('json', 'web/parts').then(() => undefined), send)
    assert.ok(uploads.length > 2, uploads.join())
    assert.deepEqual([...new Set(uploads)].toSorted(), ['PATCH true', 'POST true'])
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

const fetchOfNode = fetch

describe('failures', () => {
  const failing = async (): Promise<Response> => {
    throw new TypeError('Failed to fetch')
  }
  const call = (options: Options = {}) => newClient({ retry: false, ...options }).getBlob('web/none', '0'.repeat(40))

  test('an abort and a time limit end the request', async (context) => {
    const client = atEnd(context, newClient())
    const controller = new AbortController()
    const aborted = client.getBlob('web/none', '0'.repeat(40), { signal: controller.signal })
    controller.abort()
    await assert.rejects(aborted, { code: 'cancelled' })
  })

  test('a server that is not there', async () => {
    await assert.rejects(call({ endpoint: 'http://127.0.0.1:1' }), { code: 'unavailable', retryable: true })
  })

  test('a page that is offline', async () => {
    await inPage(
      { origin: 'http://app.example', onLine: false },
      () => assert.rejects(call(), { code: 'unavailable', retryable: true, message: /this machine is offline/ }),
      failing
    )
  })

  test('a server that keeps its answers from the page: its rule is named, and nothing is sent again', async () => {
    const modes: (string | undefined)[] = []
    const send: typeof fetch = async (input, init) => {
      modes.push(init?.mode)
      if (init?.mode === 'no-cors') return fetchOfNode(input, init)
      return failing()
    }
    const refused = (error: unknown) => {
      assert.ok(error instanceof BlobwireError)
      assert.deepEqual([error.code, error.reason, error.retryable], ['failed_precondition', 'browser_refused', false])
      assert.match(error.message, /--cors-origins http:\/\/app\.example/)
      return true
    }
    const run = () => assert.rejects(newClient().getBlob('web/none', '0'.repeat(40)), refused)
    await inPage({ origin: 'http://app.example' }, run, send)
    assert.deepEqual(modes, [undefined, 'no-cors', undefined])
  })

  test('a page with TLS does not reach a server without', async () => {
    const run = () => assert.rejects(call({ endpoint: 'http://server.example' }), { message: /serve it over https/ })
    await inPage({ origin: 'https://app.example' }, run, failing)
  })

  test('a redirect is not followed', async () => {
    const send = async () => Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })
    await inPage({ origin: 'http://app.example' }, () => assert.rejects(call(), { reason: 'redirect_refused' }), send)
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

  test('a call that asks for gRPC is refused', async (context) => {
    const client = atEnd(context, newClient())
    await assert.rejects(client.getBlob('web/none', '0'.repeat(40), { transport: 'grpc' }), {
      reason: 'not_in_runtime'
    })
  })
})
