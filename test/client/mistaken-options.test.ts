/** Mistakes about the options of `createClient`: what the user wrote, and the words that mend it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { BlobwireError, createClient } from '../../src/index.ts'
import { atEnd, testServer } from '../support/server.ts'

/** Anything, as JavaScript passes it. */
// biome-ignore lint/suspicious/noExplicitAny: these are calls that TypeScript refuses
type Loose = any

const create = createClient as Loose
const http = 'http://localhost:4100'

/** The call of `createClient`, and the whole message. */
const wrongOptions: readonly (readonly [call: () => unknown, words: RegExp])[] = [
  [() => create(), /^options: are required, such as \{ endpoint:/],
  [() => create([http]), /^options: must be an object of options, not \["http/],
  [() => create('localhost:4100'), /^endpoint: .* did you mean "http:\/\/localhost:4100"\?$/],
  [
    () => create({ endpoint: http, timeout: 5, batch: { lingerMs: -1 } }),
    /^timeout: unknown option; .*\nbatch\.lingerMs: must be a number of 0 or more, not -1$/
  ],
  [
    () => create({ endpoint: [{ url: http, wieght: 2, weight: 0 }] }),
    /^endpoint\[0\]\.wieght: unknown option; did you mean weight\?.*\nendpoint\[0\]\.weight: must be a number above 0/
  ],
  [() => create({}), /^endpoint: must be http:\/\/host\[:port\].*, not undefined$/],
  [() => create({ url: http }), /^url: unknown option; did you mean endpoint\?/],
  [() => create(new URL(http)), /^endpoint: [^\n]* not a URL; use url\.href$/],
  [() => create(http, { timeoutMs: 5 }), /^options: are one argument, such as \{ endpoint:/],
  [() => create({ endpoint: new URL(http) }), /^endpoint: .* not a URL; use url\.href$/],
  [() => create({ endpoint: 'localhost:4100' }), /^endpoint: .* did you mean "http:\/\/localhost:4100"\?$/],
  [() => create({ endpoint: '10.0.0.1:4100' }), /^endpoint: .* did you mean "http:\/\/10\.0\.0\.1:4100"\?$/],
  [() => create({ endpoint: `${http}/api/v1` }), /^endpoint: .*; an endpoint has no path: a proxy in front/],
  [() => create({ endpoint: 'http://user:secret@localhost' }), /^endpoint: .*; credentials go into the option token$/],
  [() => create({ endpoint: 'grpc://localhost' }), /^endpoint: .*; gRPC has no default port$/],
  [
    () => create({ endpoint: http, transport: 'protobuf' }),
    /^transport: must be one of auto, json, msgpack, grpc, not/
  ],
  [() => create({ endpoint: http, timeout: 5 }), /^timeout: unknown option; did you mean timeoutMs\?/],
  [() => create({ endpoint: http, retries: 5 }), /^retries: unknown option; did you mean retry\?/],
  [() => create({ endpoint: http, token: 'Bearer secret' }), /^token: .* without the word Bearer in front$/],
  [() => create({ endpoint: http, token: 'secret\n' }), /^token: .* without white space around it$/],
  [() => create({ endpoint: http, token: Promise.resolve('secret') }), /^token: .* not an object$/],
  [
    () => create({ endpoint: http, headers: { authorization: 'secret' } }),
    /^headers\.authorization: .* the option token$/
  ],
  [
    () => create({ endpoint: http, tls: { rejectUnauthorized: false } }),
    /^tls\.rejectUnauthorized: must be true but with environment: 'development' or 'testing'; give the authority as ca$/
  ],
  [() => create({ endpoint: http, tls: { ca: './ca.pem' } }), /^tls\.ca: .*readFileSync\("\.\/ca\.pem"\)$/],
  [() => create({ endpoint: http, interceptors: async () => 1 }), /^interceptors: must be a list, not a function; use/]
]

test('options of createClient', () => {
  for (const [call, words] of wrongOptions) {
    assert.throws(call, (error) => {
      assert.ok(error instanceof BlobwireError, `${call}: ${inspect(error)}`)
      assert.equal(error.code, 'invalid_argument')
      assert.match(error.message, words, `${call}`)
      assert.doesNotMatch(JSON.stringify(error) + inspect(error), /secret(?!ontext)/, `${call}`)
      return true
    })
  }
})

test('a client of an endpoint has the usual options', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.keep(createClient(fixture.server.http))
  assert.equal((await client.createRepository('demo')).created, true)
})

test('a client made with new is a client', async (context) => {
  const fixture = atEnd(context, await testServer())
  const client = fixture.keep(new (create as new (options: object) => Loose)({ endpoint: fixture.server.http }))
  assert.equal((await client.createRepository('demo')).created, true)
})
