/** Sessions of independent clients: Connect's own, plain grpc-js, buf curl. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { root, startProgram } from '../support/child.ts'
import { blobOid } from '../support/faulty-network.ts'
import { atEnd, type TestServer, testServer } from '../support/server.ts'
import { SlowStore } from '../support/stores.ts'
import { later } from '../support/until.ts'
import { vcsService } from '../support/vcs-service.ts'

const buf = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url))
const inAMoment = () => new Date(Date.now() + 1500).toISOString()

let fixture: TestServer
before(async () => {
  fixture = await testServer({
    limits: { maxBatchBytes: 1 << 20 },
    grants: [
      { token: 'good', access: 'write', repositories: ['*'] },
      { token: 'reader', access: 'read', repositories: ['demo'] },
      { token: 'stranger', access: 'write', repositories: ['other'] }
    ]
  })
  await fixture.client({ token: 'good' }).createRepository('demo')
})
after(() => fixture[Symbol.asyncDispose]())

// biome-ignore lint/suspicious/noExplicitAny: messages of a foreign client, read by name
type Message = any

/** Sends these frames, and gives the messages that come back. */
interface Duplex {
  send(request: object): void
  end(): void
  next(): Promise<Message>
}

/** A queue between a test and an async iterator. */
class Requests implements AsyncIterable<object> {
  readonly #queued: (object | undefined)[] = []
  #wake: () => void = () => undefined

  push(request: object | undefined): void {
    this.#queued.push(request)
    this.#wake()
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      while (this.#queued.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve))
      const request = this.#queued.shift()
      if (request === undefined) return
      yield request
    }
  }
}

async function connectDuplex(url: string, token: string, useBinaryFormat = true): Promise<Duplex> {
  const transport = createConnectTransport({ baseUrl: url, httpVersion: '2', useBinaryFormat })
  const client = createClient(await vcsService(), transport) as Message
  const requests = new Requests()
  const answers = client.session(requests, { headers: { authorization: `Bearer ${token}` } })[Symbol.asyncIterator]()
  return {
    send: (request) => requests.push(request),
    end: () => requests.push(undefined),
    next: async () => (await answers.next()).value
  }
}

const blob = (content: string) => ({
  operation: { case: 'storeBlob', value: { content: Buffer.from(content) } }
})
const connectFrame = (firstId: number, contents: string[]) => ({
  frame: { case: 'batch', value: { repository: 'demo', firstId: BigInt(firstId), operations: contents.map(blob) } }
})

for (const useBinaryFormat of [true, false])
  test(`an unmodified Connect client with ${useBinaryFormat ? 'protobuf' : 'JSON'}: batches, cancel, half-close`, async () => {
    const session = await connectDuplex(fixture.server.http, 'good', useBinaryFormat)
    session.send(connectFrame(1, ['a', 'b']))
    assert.deepEqual((await session.next()).results, [])
    const { results } = await session.next()
    assert.deepEqual(
      results.map(({ id, result }: Message) => [Number(id), result.result.case, result.result.value.oid]),
      [
        [1, 'storeBlob', blobOid('a')],
        [2, 'storeBlob', blobOid('b')]
      ]
    )
    session.send({ frame: { case: 'cancel', value: { ids: [1n, 77n] } } })
    session.send(connectFrame(3, ['c']))
    session.end()
    assert.equal((await session.next()).results[0].result.result.value.oid, blobOid('c'))
    assert.equal(await session.next(), undefined)
  })

test('a Connect client is told what was wrong with a frame', async () => {
  const session = await connectDuplex(fixture.server.http, 'good')
  session.send({})
  await session.next()
  await assert.rejects(session.next(), (error) => error instanceof ConnectError && error.code === Code.InvalidArgument)
})

for (const [token, code] of [
  ['reader', 'permission_denied'],
  ['stranger', 'not_found']
] as const) {
  test(`a token without the right (${token}): ${code} for that operation`, async () => {
    const session = await connectDuplex(fixture.server.http, token)
    session.send(connectFrame(1, ['a']))
    await session.next()
    assert.equal((await session.next()).results[0].result.result.value.code, code)
    session.end()
    assert.equal(await session.next(), undefined)
  })
}

test('an unknown token gets no session', async () => {
  const session = await connectDuplex(fixture.server.http, 'unknown')
  await assert.rejects(session.next(), (error) => error instanceof ConnectError && error.code === Code.Unauthenticated)
})

test('a token that expires in mid-session: its later frames are refused, one by one', async (context) => {
  const expires = inAMoment()
  const short = atEnd(
    context,
    await testServer({ grants: [{ token: 'short', access: 'write', repositories: ['*'], expires }] })
  )
  await short.client({ token: 'short' }).createRepository('demo')
  const session = await connectDuplex(short.server.http, 'short')
  session.send(connectFrame(1, ['a']))
  await session.next()
  assert.equal((await session.next()).results[0].result.result.value.oid, blobOid('a'))
  await later(Date.parse(expires) - Date.now() + 5)
  session.send(connectFrame(2, ['b']))
  const { code, detail } = (await session.next()).results[0].result.result.value
  assert.deepEqual([code, detail.reason], ['unauthenticated', 'expired_token'])
  session.end()
  assert.equal(await session.next(), undefined)
})

const definition = loadSync('blobwire/v1/vcs.proto', {
  includeDirs: [`${root}proto`],
  longs: Number,
  arrays: true,
  oneofs: true,
  enums: String
})
const Vcs = grpc.makeClientConstructor(definition['blobwire.v1.VcsService'] as grpc.ServiceDefinition, 'VcsService')

/** A session of grpc-js with proto-loader's own messages. */
function grpcSession(url: string, token = 'good') {
  const client = new Vcs(new URL(url).host, grpc.credentials.createInsecure())
  const metadata = new grpc.Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  const stream = (client as Message).Session(metadata) as grpc.ClientDuplexStream<object, Message>
  const status = new Promise<grpc.StatusObject>((resolve) => stream.on('status', resolve))
  stream.on('error', () => undefined)
  const messages: Message[] = []
  stream.on('data', (message) => messages.push(message))
  return { client, stream, messages, status }
}
const frameOf = (firstId: number, contents: string[]) => ({
  batch: {
    repository: 'demo',
    firstId,
    operations: contents.map((content) => ({ storeBlob: { content: Buffer.from(content) } }))
  }
})

test('grpc-js by itself: batches, cancel, half-close answers everything', async () => {
  const { client, stream, messages, status } = grpcSession(fixture.server.grpc)
  for (let frame = 0; frame < 20; frame++) stream.write(frameOf(1 + frame * 2, [`x${frame}`, `y${frame}`]))
  stream.write({ cancel: { ids: [1, 999] } })
  stream.end()
  assert.equal((await status).code, grpc.status.OK)
  assert.deepEqual(messages[0].results, [], 'the greeting')
  const found = new Map(messages.flatMap(({ results }) => results).map(({ id, result }) => [id, result.storeBlob?.oid]))
  assert.equal(found.size, 40)
  assert.equal(found.get(40), blobOid('y19'))
  client.close()
})

for (const [name, request, code] of [
  ['neither batch nor cancel', {}, grpc.status.INVALID_ARGUMENT],
  ['a batch of nothing', frameOf(1, []), grpc.status.INVALID_ARGUMENT],
  ['a frame above max_batch_bytes', frameOf(1, ['x'.repeat(2 << 20)]), grpc.status.RESOURCE_EXHAUSTED]
] as const) {
  test(`grpc-js: ${name} ends the session`, async () => {
    const { client, stream, status } = grpcSession(fixture.server.grpc)
    stream.write(request)
    assert.equal((await status).code, code)
    client.close()
  })
}

test('grpc-js that vanishes in mid-session leaves the server in order', async () => {
  const { client, stream, status } = grpcSession(fixture.server.grpc)
  stream.write(frameOf(1, ['a']))
  stream.cancel()
  assert.equal((await status).code, grpc.status.CANCELLED)
  client.close()
  const next = grpcSession(fixture.server.grpc)
  next.stream.write(frameOf(1, ['b']))
  next.stream.end()
  assert.equal((await next.status).code, grpc.status.OK)
  next.client.close()
})

test('a server that drains ends the session of a grpc-js client that goes on sending', async (context) => {
  const store = new SlowStore()
  await store.createRepository('demo', 'sha1')
  const slow = atEnd(context, await testServer({ store }))
  const { client, stream, messages, status } = grpcSession(slow.server.grpc)
  context.after(() => client.close())
  let id = 0
  const sender = setInterval(() => stream.write(frameOf(++id, ['x'])), 2)
  context.after(() => clearInterval(sender))
  while (messages.length < 10) await once(stream, 'data')
  await slow.server.close()
  assert.equal((await status).code, grpc.status.OK)
})

/** Sends one JSON message after the other on standard input, and gives the output. */
async function bufCurl(url: string, flags: string[], requests: object[]) {
  const all = ['curl', '--http2-prior-knowledge', '-H', 'authorization: Bearer good', ...flags, '-d', '@-', url]
  const child = startProgram(buf, ...all)
  const output: string[] = []
  const problems: string[] = []
  child.stdout.on('data', (chunk) => output.push(String(chunk)))
  child.stderr.on('data', (chunk) => problems.push(String(chunk)))
  child.stdin.end(requests.map((request) => JSON.stringify(request)).join('\n'))
  const [code] = await once(child, 'close')
  return { code, output: output.join(''), problems: problems.join('') }
}
const curlFrame = (firstId: number, contents: string[]) => ({
  batch: {
    repository: 'demo',
    firstId,
    operations: contents.map((content) => ({ storeBlob: { content: Buffer.from(content).toString('base64') } }))
  }
})

test('buf curl over gRPC', async () => {
  const url = `${fixture.server.grpc}/blobwire.v1.VcsService/Session`
  const { code, output, problems } = await bufCurl(
    url,
    ['--protocol', 'grpc'],
    [curlFrame(1, ['a', 'b']), curlFrame(9, ['c'])]
  )
  assert.equal(code, 0, problems)
  for (const content of 'abc') assert.match(output, new RegExp(blobOid(content)))
})

test('buf curl over Connect', async () => {
  const url = `${fixture.server.http}/blobwire.v1.VcsService/Session`
  const requests = [curlFrame(1, ['a', 'b']), curlFrame(9, ['c'])]
  const { code, output, problems } = await bufCurl(url, ['--protocol', 'connect', '--schema', 'proto'], requests)
  assert.equal(code, 0, problems)
  for (const content of 'abc') assert.match(output, new RegExp(blobOid(content)))
})
