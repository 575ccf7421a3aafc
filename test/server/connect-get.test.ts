/** Reads by GET, and the headers by which caches go. connect-client.test.ts and cors.test.ts have unmodified clients. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import { encodeProtobuf } from '../../src/codec/protobuf.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { atEnd, testServer } from '../support/server.ts'

const helloOid = 'ce013625030ba8dba906f756967f9e9ca394464a'

async function startDemo(context: TestContext, token?: string) {
  const grants = token ? [{ token, access: 'write' as const, repositories: ['*'] }] : []
  const fixture = atEnd(context, await testServer({ grants }))
  const repo = fixture.client(token ? { token } : {}).repository('demo')
  await repo.createRepository()
  const author = { name: 'Ada', email: 'ada@example.com' }
  const changes = { 'a.txt': { content: 'hello\n' } }
  const { oid: commitOid } = await repo.commitFiles({ branch: 'main', message: 'one', changes, author })
  return { fixture, repo, commitOid }
}

/** GET with these parameters, already encoded, or HEAD. */
async function get(http: string, method: string, query: string, init: RequestInit = {}) {
  const answer = await fetch(`${http}/${serviceName}/${method}?${query}`, init)
  const { status, headers } = answer
  const text = await answer.text()
  return { status, headers, text, cached: headers.get('cache-control'), etag: headers.get('etag') }
}

const encoded = (message: object) => `connect=v1&encoding=json&message=${encodeURIComponent(JSON.stringify(message))}`

test('the message in the query: text or base64, each codec, compressed', async (context) => {
  const { http, metrics } = (await startDemo(context)).fixture.server
  const request = { repository: 'demo', oid: helloOid }
  const json = JSON.stringify(request)
  const proto = Buffer.from(encodeProtobuf('GetBlobRequest', request))
  const msgpack = Buffer.from(msgpackCodec.encode('GetBlobRequest', request))
  const percent = (bytes: Buffer) => bytes.toString('hex').replace(/../g, '%$&')
  const queries = [
    encoded(request),
    `encoding=json&message=${encodeURIComponent(json.replace(':', ' : ')).replaceAll('%20', '+')}`,
    `connect=v1&base64=1&encoding=json&message=${Buffer.from(json).toString('base64url')}`,
    `message=${encodeURIComponent(Buffer.from(json).toString('base64'))}&base64=1&encoding=json`,
    `encoding=json&base64=1&compression=gzip&message=${gzipSync(json).toString('base64url')}`,
    `encoding=proto&base64=1&compression=identity&message=${proto.toString('base64url')}`,
    `encoding=proto&message=${percent(proto)}`,
    `encoding=msgpack&message=${percent(msgpack)}`
  ]
  for (const query of queries) {
    const answer = await get(http, 'GetBlob', query)
    assert.equal(answer.status, 200, `${query}: ${answer.text}`)
    const type = `application/${/encoding=([a-z]+)/.exec(query)?.[1]}`
    assert.equal(answer.headers.get('content-type'), type)
    if (type === 'application/json') assert.equal(JSON.parse(answer.text).content, 'aGVsbG8K')
  }
  const { json: asJson, msgpack: asMsgpack, proto: asProto } = metrics.snapshot().transports
  assert.deepEqual(
    [asJson, asMsgpack, asProto].map(({ calls }) => calls['GetBlob']?.ok),
    [5, 1, 2]
  )
  assert.equal((await get(http, 'GetCapabilities', 'encoding=json&message=')).status, 200)
  const head = await get(http, 'GetBlob', encoded(request), { method: 'HEAD' })
  assert.deepEqual([head.status, head.text, head.headers.get('content-type')], [200, '', 'application/json'])
})

test('a query that is none, or a method that writes, is refused, and no cache keeps the refusal', async (context) => {
  const { http } = (await startDemo(context)).fixture.server
  const good = encoded({ repository: 'demo' })
  const refused: [query: string, status: number, message: RegExp][] = [
    [good.replace('v1', 'v2'), 400, /connect: must be v1/],
    [good.replace('json', 'xml'), 400, /encoding: must be one of json, msgpack, proto/],
    ['', 400, /encoding: must be one of/],
    ['connect=v1&encoding=json', 400, /message: must be given/],
    ['encoding=json&message=%zz', 400, /message: must be percent-encoded/],
    ['encoding=json&base64=1&message=%%%', 400, /percent-encoded/],
    ['encoding=json&base64=1&message=.', 400, /message: must be base64/],
    ['encoding=json&compression=br&message={}', 501, /compression must be one of/],
    ['encoding=json&base64=1&compression=gzip&message=AAAA', 400, /not valid gzip/],
    ['encoding=json&message=%7B', 400, /not valid JSON/],
    [encoded({ repository: 'none' }), 404, /none/]
  ]
  for (const [query, status, message] of refused) {
    const answer = await get(http, 'GetRepository', query)
    assert.deepEqual([answer.status, answer.cached], [status, 'no-store'], `${query}: ${answer.text}`)
    assert.match(JSON.parse(answer.text).message, message)
  }
  assert.equal((await get(http, 'GetRepository', '', { method: 'HEAD' })).cached, 'no-store')
  const write = await get(http, 'DeleteRepository', good)
  assert.deepEqual([write.status, write.headers.get('allow')], [405, 'POST, OPTIONS'])
  assert.equal((await get(http, 'DownloadBlob', encoded({ repository: 'demo', oid: helloOid }))).status, 405)
  assert.equal((await get(http, 'GetRepository', good)).status, 200)
  const asked = await fetch(`${http}/${serviceName}/GetRepository`, { method: 'OPTIONS' })
  assert.deepEqual([asked.status, asked.headers.get('allow')], [204, 'GET, HEAD, POST, OPTIONS'])
  assert.match(asked.headers.get('accept-post') ?? '', /^application\/json, .*application\/proto, .*application\/grpc/)
})

test('caches keep what oids name, ask again for all else, and keep answers to tokens apart', async (context) => {
  const { fixture, repo, commitOid } = await startDemo(context)
  const { http } = fixture.server
  const author = { name: 'Ada', email: 'ada@example.com' }
  const next = { branch: 'next', expectedHead: null, message: 'two', changes: { b: { content: 'b' } }, author }
  const { oid: nextOid } = await repo.commitFiles(next)
  // An oid, in a repository of SHA-256.
  const odd = 'ab'.repeat(32)
  await repo.updateRefs([{ name: `refs/heads/${odd}`, expectedOid: null, newOid: commitOid }])
  const fixed = 'max-age=31536000, immutable'
  const cases: [method: string, request: object, cached: string][] = [
    ['GetBlob', { oid: helloOid }, fixed],
    ['GetBlob', { revision: commitOid, path: 'a.txt' }, fixed],
    ['GetBlob', { revision: 'main', path: 'a.txt' }, 'no-cache'],
    ['GetObject', { oid: commitOid }, fixed],
    ['GetTree', { revision: commitOid }, fixed],
    ['GetTree', { revision: 'main' }, 'no-cache'],
    ['GetCommit', { revision: `${commitOid}~0` }, 'no-cache'],
    ['GetCommit', { revision: commitOid }, fixed],
    ['ListCommits', { revision: commitOid }, fixed],
    ['ListCommits', {}, 'no-cache'],
    ['Compare', { base: commitOid, head: nextOid }, fixed],
    ['GetTree', { revision: odd }, 'no-cache'],
    ['Compare', { base: commitOid, head: 'main' }, 'no-cache'],
    ['ListRefs', {}, 'no-cache'],
    ['FindMissing', { oids: [helloOid] }, 'no-cache']
  ]
  for (const [method, request, cached] of cases) {
    const answer = await get(http, method, encoded({ repository: 'demo', ...request }))
    assert.deepEqual(
      [answer.status, answer.cached],
      [200, cached],
      `${method} ${JSON.stringify(request)} ${answer.text}`
    )
    assert.equal(answer.headers.get('vary'), 'accept-encoding, authorization')
  }
  const refs = encoded({ repository: 'demo' })
  const first = await get(http, 'ListRefs', refs)
  const again = (etag: string | null) => get(http, 'ListRefs', refs, { headers: { 'if-none-match': etag ?? '' } })
  const same = await again(first.etag)
  assert.deepEqual([same.status, same.text, same.etag, same.cached], [304, '', first.etag, 'no-cache'])
  await repo.updateRefs([{ name: 'refs/heads/other', expectedOid: null, newOid: commitOid }])
  assert.equal((await again(first.etag)).status, 200)
  const closed = (await startDemo(context, 'secret')).fixture.server.http
  const read = encoded({ repository: 'demo', oid: helloOid })
  const authorized = await get(closed, 'GetBlob', read, { headers: { authorization: 'Bearer secret' } })
  assert.deepEqual([authorized.status, authorized.cached], [200, `private, ${fixed}`])
  const path = `${closed}/v1/repositories/demo/blobs/${helloOid}`
  assert.equal(
    (await fetch(path, { headers: { authorization: 'Bearer secret' } })).headers.get('vary'),
    'authorization'
  )
  const refused = await get(closed, 'GetBlob', read)
  assert.deepEqual([refused.status, refused.cached], [401, 'no-store'])
})
