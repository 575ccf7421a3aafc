/** Options are checked once, at construction. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { resolveOptions } from '../../src/client/options.ts'
import { BlobwireError, type ClientOptions, createClient } from '../../src/index.ts'

const endpoint = 'http://127.0.0.1:4100'

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
    [
      'endpoints of two schemes',
      { endpoint: [endpoint, 'grpc://x:1'] },
      /^endpoint: all endpoints must have the same s/
    ],
    [
      'retries that are no number',
      { retry: { maxAttempts: '3' } },
      /^retry.maxAttempts: must be an integer from 1 to 100, not "3"/
    ],
    ['retries of no kind', { retry: true }, /^retry: must be an object/],
    [
      'an unknown policy',
      { breaker: { failure: 5 } },
      /^breaker.failure: unknown option; did you mean failures. expected one of failures/
    ],
    ['a share above 1', { breaker: { ratio: 2 } }, /^breaker.ratio: must be a number from 0.01 to 1, not 2/],
    ['no calls at all', { concurrency: { maxCalls: 0 } }, /^concurrency.maxCalls: must be an integer of 1 or more/],
    ['no time for an attempt', { attemptTimeoutMs: 0 }, /^attemptTimeoutMs: must be 'adaptive' or a number above 0/],
    ['hedging without a delay', { hedge: {} }, /^hedge.delayMs/],
    [
      'an unknown option',
      { timeout: 5 },
      /^timeout: unknown option; did you mean timeoutMs. expected one of endpoint, /
    ],
    ['an unknown TLS option', { tls: { pfx: '' } }, /^tls.pfx: unknown option; .*expected one of ca, /],
    ['another transport', { transport: 'xml' }, /^transport: must be one of auto, json, msgpack, grpc, not "xml"/],
    [
      'JSON on a gRPC endpoint',
      { endpoint: 'grpc://x:1', transport: 'json' },
      /^transport: must be grpc or auto .*"json"/
    ],
    ['an unknown batch option', { batch: { size: 1 } }, /^batch.size: unknown option; expected one of maxOperations, /],
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
      /^connection.pool: unknown option; expected one of maxC/
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
    ['a certificate without its key', { tls: { cert: 'x' } }, /^tls: cert and key must be given together/],
    [
      'a certificate that is none',
      { tls: { cert: '-----BEGIN CERTIFICATE-----', key: '-----BEGIN PRIVATE KEY-----' } },
      /^tls: ca, cert or key is invalid/
    ],
    ['an old TLS', { tls: { minVersion: 'TLSv1' } }, /^tls.minVersion/],
    ['a header of the protocol', { headers: { 'Content-Type': 'x' } }, /^headers.content-type: is reserved/],
    ['a header with a line feed', { headers: { 'x-a': 'b\r\nc: d' } }, /^headers.x-a/],
    ['a header that is not ASCII', { headers: { 'x-a': 'ü' } }, /^headers.x-a/],
    ['an interceptor that is none', { interceptors: [{}] }, /^interceptors\[0\]: must be a function or .*\{\}/]
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
