/** Options are checked once, at construction; defaults are those of their documentation. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { resolveOptions } from '../../src/client/options.ts'
import { BlobwireError, type ClientOptions, createClient } from '../../src/index.ts'

const endpoint = 'http://127.0.0.1:4100'

test('every @default in the documentation is the resolved value', () => {
  const source = readFileSync(new URL('../../src/client/options.ts', import.meta.url), 'utf8')
  const documented = [...source.matchAll(/@default ([^\n]*)\n(?:[^/]*\*\/)\s*(\w+)\?:/g)]
  const resolved: Record<string, unknown> = { ...resolveOptions({ endpoint }), transport: 'auto' }
  assert.ok(documented.length >= 8, `${documented.length} defaults are documented`)
  for (const [, text = '', name = ''] of documented) {
    const expected = text === 'none' ? undefined : JSON.parse(text.replaceAll("'", '"'))
    assert.deepEqual(resolved[name], expected, name)
  }
})

test('every @default of batch is the resolved value', () => {
  const source = readFileSync(new URL('../../src/batch/options.ts', import.meta.url), 'utf8')
  const documented = [...source.matchAll(/@default (\d+)\n(?:[^/]*\*\/)\s*(\w+)\?:/g)]
  const found = Object.fromEntries(documented.map(([, value, name]) => [name, Number(value)]))
  assert.deepEqual(found, resolveOptions({ endpoint }).batch)
})

test('every @default of connection is the resolved value, and every option has one', () => {
  const source = readFileSync(new URL('../../src/connection/options.ts', import.meta.url), 'utf8')
  const documented = [...source.matchAll(/@default (\w+)\n(?:[^/]*\*\/)\s*(\w+)\?:/g)]
  const values: Record<string, boolean | undefined> = { none: undefined, true: true, false: false }
  const found = documented.map(([, text = '', name]) => [name, text in values ? values[text] : Number(text)])
  assert.deepEqual(Object.fromEntries(found), resolveOptions({ endpoint }).connection)
})

test('the older name of the connect timeout still works, and the newer one counts more', () => {
  const { connection } = resolveOptions({ endpoint, connectTimeoutMs: 5 })
  assert.equal(connection.connectTimeoutMs, 5)
  const both = resolveOptions({ endpoint, connectTimeoutMs: 5, connection: { connectTimeoutMs: 7 } })
  assert.equal(both.connection.connectTimeoutMs, 7)
})

test('auto is gRPC for gRPC endpoints and MessagePack for HTTP', () => {
  assert.deepEqual(resolveOptions({ endpoint }).transports, ['msgpack', 'json'])
  assert.deepEqual(resolveOptions({ endpoint: 'grpc://[::1]:50051' }).transports, ['grpc', 'msgpack', 'json'])
  assert.deepEqual(resolveOptions({ endpoint, transport: 'json' }).transports, ['json'])
})

describe('refused, naming option, value and what is allowed', () => {
  const bad: [name: string, options: Record<string, unknown>, message: RegExp][] = [
    ['no endpoint', { endpoint: undefined }, /^endpoint: must be http:\/\//],
    ['another scheme', { endpoint: 'ftp://x' }, /^endpoint: must be http.*ftp/],
    ['a path', { endpoint: 'http://x/api' }, /^endpoint/],
    ['gRPC without a port', { endpoint: 'grpc://x' }, /^endpoint/],
    ['no endpoint of several', { endpoint: [] }, /^endpoint: .*1 to 64/],
    ['endpoints of two schemes', { endpoint: [endpoint, 'grpc://x:1'] }, /^endpoint: all must have the same scheme/],
    [
      'retries that are no number',
      { retry: { maxAttempts: '3' } },
      /^retry.maxAttempts: must be an integer from 1 to 100, not "3"/
    ],
    ['retries of no kind', { retry: true }, /^retry: must be an object/],
    ['an unknown policy', { breaker: { failure: 5 } }, /^breaker.failure: there is no such option; there are failures/],
    ['a share above 1', { breaker: { ratio: 2 } }, /^breaker.ratio: must be a number from 0.01 to 1, not 2/],
    ['no calls at all', { concurrency: { maxCalls: 0 } }, /^concurrency.maxCalls: must be an integer of 1 or more/],
    ['no time for an attempt', { attemptTimeoutMs: 0 }, /^attemptTimeoutMs: must be a number above 0/],
    ['hedging without a delay', { hedge: {} }, /^hedge.delayMs/],
    ['an unknown option', { timeout: 5 }, /^timeout: there is no such option; there are endpoint, /],
    ['an unknown TLS option', { tls: { pfx: '' } }, /^tls.pfx: there is no such option; there are ca, /],
    ['another transport', { transport: 'xml' }, /^transport: must be one of auto, json, msgpack, grpc, not "xml"/],
    ['JSON on a gRPC endpoint', { endpoint: 'grpc://x:1', transport: 'json' }, /^transport: a grpc\(s\)/],
    [
      'an unknown batch option',
      { batch: { size: 1 } },
      /^batch.size: there is no such option; there are maxOperations, /
    ],
    ['an empty frame', { batch: { maxOperations: 0 } }, /^batch.maxOperations: must be an integer of 1 or more, not 0/],
    ['half a frame', { batch: { framesInFlight: 1.5 } }, /^batch.framesInFlight: must be an integer/],
    ['negative linger', { batch: { lingerMs: -1 } }, /^batch.lingerMs: must be a number of 0 or more, not -1/],
    ['batch: true', { batch: true }, /^batch: must be an object/],
    ['no time', { timeoutMs: 0 }, /^timeoutMs: must be a number above 0, not 0/],
    ['time as text', { timeoutMs: '5s' }, /^timeoutMs: .* not "5s"/],
    ['not a number', { connectTimeoutMs: Number.NaN }, /^connectTimeoutMs/],
    [
      'an unknown connection option',
      { connection: { pool: 1 } },
      /^connection.pool: there is no such option; there are maxC/
    ],
    ['no connection', { connection: { maxConnections: 0 } }, /^connection.maxConnections: must be an integer of 1/],
    [
      'no interval',
      { connection: { pingIntervalMs: 0 } },
      /^connection.pingIntervalMs: must be a number above 0, not 0/
    ],
    ['negative keep-alive', { connection: { keepAliveMs: -1 } }, /^connection.keepAliveMs: must be a number of 0 or/],
    ['delay as a word', { connection: { noDelay: 'no' } }, /^connection.noDelay: must be true or false, not "no"/],
    [
      'another proxy',
      { connection: { proxy: 'socks5://u:tok-1@h' } },
      /^connection.proxy: must be "environment" or http[^1]*$/
    ],
    ['a word for a truth', { gzip: 'yes' }, /^gzip: must be true or false, not "yes"/],
    ['a certificate without its key', { tls: { cert: 'x' } }, /^tls: cert and key go together/],
    ['a certificate that is none', { tls: { ca: 'x', cert: 'x', key: 'x' } }, /^tls: ca, cert or key cannot be used/],
    ['an old TLS', { tls: { minVersion: 'TLSv1' } }, /^tls.minVersion/],
    ['a header of the protocol', { headers: { 'Content-Type': 'x' } }, /^headers.content-type: is set by the client/],
    ['a header with a line feed', { headers: { 'x-a': 'b\r\nc: d' } }, /^headers.x-a/],
    ['a header that is not ASCII', { headers: { 'x-a': 'ü' } }, /^headers.x-a/],
    ['an interceptor that is none', { interceptors: [{}] }, /^interceptors/]
  ]
  for (const [name, options, message] of bad) {
    test(name, () => {
      assert.throws(
        () => createClient({ endpoint, ...options } as ClientOptions),
        (error: BlobwireError) => {
          assert.ok(error instanceof BlobwireError, String(error))
          assert.equal(error.code, 'invalid_argument')
          assert.match(error.message, message)
          return true
        }
      )
    })
  }
})

test('secrets stay out of errors and out of inspect', () => {
  const secret = 'tok-5f3a9'
  const client = createClient({ endpoint, token: secret })
  assert.doesNotMatch(inspect(client, { depth: 20, showHidden: true }), /5f3a9/)
  assert.doesNotMatch(inspect(client.repository('demo'), { depth: 20, showHidden: true }), /5f3a9/)
  for (const options of [{ endpoint, token: `${secret} x` }, { endpoint: `http://user:${secret}@host` }]) {
    assert.throws(
      () => createClient(options),
      (error: BlobwireError) => {
        assert.doesNotMatch(inspect(error), /5f3a9/)
        return true
      }
    )
  }
})
