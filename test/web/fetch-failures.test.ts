/** Failures of the client on `fetch`, as a page meets them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ClientOptions } from '../../src/index.ts'
import { methods } from '../../src/schema/methods.ts'
import { fetchOfNode, inPage } from '../support/page.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { importWeb } from '../support/web-graph.ts'

const { createClient, BlobwireError } = await importWeb<typeof import('../../src/index.ts')>('index.ts')

type Options = Partial<ClientOptions>

let fixture: TestServer
before(async () => {
  fixture = await testServer()
})
after(() => fixture[Symbol.asyncDispose]())

const newClient = (options: Options = {}) => createClient({ endpoint: fixture.server.http, ...options })

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(10)
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

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
      await connection.send({ method: 'GET', path: '/', headers: {}, signal })
      await assert.rejects(connection.send(request), { code: 'unavailable' })
      assert.equal(connection.takesStreams, false)
    }
    const send: typeof fetch = async (_input, init) => (init?.body ? failing() : new Response())
    await inPage({ origin: 'https://app.example' }, run, send)
  })

  test('the error of a body is that of the request', async () => {
    const { FetchConnection } = await importWeb<typeof import('../../src/connection/fetch/fetch-connection.ts')>(
      'connection/fetch/fetch-connection.ts'
    )
    const connection = new FetchConnection({ protocol: 'http', secure: true, hostname: 'server.example', port: 443 })
    const gone = new Error('the disk is gone')
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield await Promise.reject(gone)
    }
    const send: typeof fetch = async (_input, init) => {
      await new Response(init?.body).arrayBuffer().catch(() => undefined)
      return failing()
    }
    const { signal } = new AbortController()
    const request = { method: 'POST', path: '/', headers: {}, body: body(), signal } as const
    await inPage({ origin: 'https://app.example' }, () => assert.rejects(connection.send(request), gone), send)
    assert.equal(connection.takesStreams, true)
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
