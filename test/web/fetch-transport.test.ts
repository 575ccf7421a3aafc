/** The client for other runtimes than Node, on the `fetch` of Node, against the server. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ClientOptions } from '../../src/index.ts'
import { methods } from '../../src/schema/methods.ts'
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

async function* nothing(): AsyncGenerator<Uint8Array> {}

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
    const uploads: string[] = []
    const send: typeof fetch = (input, init) => {
      const { method, body, headers } = init ?? {}
      if (String(input).includes('/uploads/')) uploads.push(`${method} ${body instanceof Uint8Array}`)
      const own = Object.keys(headers ?? {}).filter((name) =>
        /^(accept-encoding|content-length|user-agent)$/.test(name)
      )
      assert.deepEqual(own, [])
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

describe('failures', () => {
  const failing = async (): Promise<Response> => {
    throw new TypeError('Failed to fetch')
  }
  const call = (options: Options = {}) => newClient({ retry: false, ...options }).getBlob('web/none', '0'.repeat(40))

  test('an abort of a call aborts its request', async (context) => {
    const client = atEnd(context, newClient())
    const controller = new AbortController()
    const begun = Promise.withResolvers<AbortSignal>()
    const send: typeof fetch = (_input, init) => {
      begun.resolve(init?.signal as AbortSignal)
      return new Promise((_resolve, reject) =>
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      )
    }
    await inPage(
      { origin: 'http://app.example' },
      async () => {
        const aborted = client.getBlob('web/none', '0'.repeat(40), { signal: controller.signal })
        const signal = await begun.promise
        controller.abort()
        await assert.rejects(aborted, { code: 'cancelled' })
        assert.ok(signal.aborted)
      },
      send
    )
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

  test('a server that has answered before is not told as one that refuses the page', async (context) => {
    const client = atEnd(context, newClient({ retry: false }))
    let isDown = false
    const send: typeof fetch = (input, init) => {
      return isDown && init?.mode !== 'no-cors' ? failing() : fetchOfNode(input, init)
    }
    await inPage(
      { origin: 'http://app.example' },
      async () => {
        await client.createRepository('web/answered')
        isDown = true
        await assert.rejects(client.getRepository('web/answered'), { code: 'unavailable' })
      },
      send
    )
  })

  test('a browser that refuses a stream as a body gets parts', async () => {
    const { FetchConnection } = await importWeb<typeof import('../../src/connection/fetch/fetch-connection.ts')>(
      'connection/fetch/fetch-connection.ts'
    )
    const endpoint = { protocol: 'http', secure: true, hostname: 'server.example', port: 443 } as const
    const run = async () => {
      const connection = new FetchConnection(endpoint)
      assert.equal(connection.takesStreams, true)
      const { signal } = new AbortController()
      const request = { method: 'POST', path: '/', headers: {}, body: pieces(), signal } as const
      await assert.rejects(connection.send(request), { code: 'unavailable' })
      assert.equal(connection.takesStreams, false)
    }
    await inPage({ origin: 'https://app.example' }, run, failing)
  })

  test('a stream that breaks off before its end is not taken for whole', async () => {
    const { serverStream } = await importWeb<typeof import('../../src/transport/fetch/server-stream.ts')>(
      'transport/fetch/server-stream.ts'
    )
    const { jsonCodec } = await importWeb<typeof import('../../src/codec/json.ts')>('codec/json.ts')
    const headers = { 'content-type': 'application/connect+json' }
    const send = async () => ({ status: 200, headers, chunks: nothing(), trailers: {}, discard: () => undefined })
    const counters = { requests: 0, bytesSent: 0, uncompressedBytesSent: 0 }
    const context = { codec: jsonCodec, connection: { send }, counters, maxResponseBytes: 1000 }
    const request = { method: methods.watchRefs, message: {}, headers: {}, signal: new AbortController().signal }
    const stream = serverStream(context as unknown as Parameters<typeof serverStream>[0], request)
    await assert.rejects(stream.next(), { code: 'unavailable', message: 'the stream broke off' })
  })

  test('a page with TLS does not reach a server without', async () => {
    const run = () => assert.rejects(call({ endpoint: 'http://server.example' }), { message: /serve it over https/ })
    await inPage({ origin: 'https://app.example' }, run, failing)
  })

  test('a redirect is not followed', async () => {
    const redirects: (string | undefined)[] = []
    const send: typeof fetch = async (_input, init) => {
      redirects.push(init?.redirect)
      return Object.defineProperty(Response.error(), 'type', { value: 'opaqueredirect' })
    }
    await inPage({ origin: 'http://app.example' }, () => assert.rejects(call(), { reason: 'redirect_refused' }), send)
    assert.deepEqual(redirects, ['manual'])
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
