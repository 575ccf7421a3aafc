/** The budget of bytes of all requests together, and of each connection: what has no room is refused, others are served. */
import assert from 'node:assert/strict'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encode } from '@msgpack/msgpack'
import { loadProto } from '../../server-fixture/grpc/proto.ts'
import { MemoryBudget } from '../../server-fixture/memory-budget.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { decodeStatus } from '../../src/codec/protobuf.ts'
import { createClient } from '../../src/index.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { pem } from '../support/pem.ts'
import { grpcMessage, rawCall } from '../support/raw-grpc.ts'
import { RawSession } from '../support/raw-session.ts'
import { atEnd, testServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const kibibyte = 1024
/** A fortieth of what servers have by default. */
const limits = {
  maxInlineBytes: 256 * kibibyte,
  maxBatchBytes: 256 * kibibyte,
  maxConnectionInFlightBytes: 1024 * kibibyte,
  maxInFlightBytes: 1600 * kibibyte
}
/** A body that compresses well. */
const content = Buffer.alloc(200 * kibibyte)

/** A server whose writes to the repository `slow` wait until they are let go. */
async function slowServer(context: TestContext, protocol: 'cleartext' | 'tls') {
  const gate = Promise.withResolvers<void>()
  const decorate = (service: VcsService): VcsService => ({
    limits: service.limits,
    capabilities: () => service.capabilities(),
    async call(method, request, call) {
      if ((request as { repository?: string }).repository === 'slow') await gate.promise
      return service.call(method, request, call)
    },
    upload: (opening, call) => service.upload(opening, call),
    download: (request, call) => service.download(request, call),
    watch: (request, sink, call) => service.watch(request, sink, call),
    async sessionBatch(batch, call) {
      if (batch.repository === 'slow') await gate.promise
      return service.sessionBatch(batch, call)
    }
  })
  const files = { cert: pem('server.pem'), key: pem('server.key') }
  const tls = protocol === 'tls' ? files : undefined
  const fixture = atEnd(context, await testServer({ limits, decorate, tls }))
  context.after(() => gate.resolve())
  const connections: ClientHttp2Session[] = []
  context.after(() => {
    for (const connection of connections) connection.destroy()
  })
  const open = (url: string) => {
    const connection = connect(url, { rejectUnauthorized: false })
    connection.on('error', () => undefined)
    connections.push(connection)
    return connection
  }
  return { ...fixture, letGo: gate.resolve, open }
}

interface Answer {
  readonly code: string
  readonly reason: string
  readonly retryAfterMs: number
  readonly retryable: boolean
}

interface Attack {
  /** Sends a request that the server works on until it is let go; `isWhole` = false leaves out the last byte. */
  send(connection: ClientHttp2Session, isWhole: boolean): Promise<Answer | 'ok'>
}

const httpAttack = (gzip: boolean): Attack => ({
  send(connection, isWhole) {
    const message = encode({ repository: 'slow', content })
    const body = gzip ? gzipSync(message) : message
    const stream = connection.request({
      ':method': 'POST',
      ':path': `/${serviceName}/StoreBlob`,
      'content-type': 'application/msgpack',
      ...(isWhole ? { 'content-length': body.length } : {}),
      ...(gzip ? { 'content-encoding': 'gzip' } : {})
    })
    stream.on('error', () => undefined)
    if (isWhole) stream.end(body)
    else stream.write(body.subarray(0, -1))
    return new Promise((resolve) => {
      let text = ''
      let status = 0
      let retryAfter: string | undefined
      stream.on('response', (headers) => {
        status = Number(headers[':status'])
        retryAfter = headers['retry-after']
      })
      stream.on('data', (chunk) => {
        text += String(chunk)
      })
      stream.on('end', () => {
        if (status === 404) return resolve('ok')
        if (text === '') return
        const { code, details } = JSON.parse(text)
        assert.equal(retryAfter, '1')
        resolve({ code, ...details[0].debug })
      })
    })
  }
})

const storeBlobType = loadProto()['blobwire.v1.StoreBlobRequest'] as { serialize(message: object): Buffer }

const grpcAttack = (gzip: boolean): Attack => ({
  async send(connection, isWhole) {
    const message = grpcMessage(storeBlobType.serialize({ repository: 'slow', content }), gzip)
    const call = rawCall(connection, 'StoreBlob', gzip ? { 'grpc-encoding': 'gzip' } : {})
    if (isWhole) call.stream.end(message)
    else call.stream.write(message.subarray(0, -1))
    if ((await call.status) === 5) return 'ok'
    assert.equal(call.answer['grpc-retry-pushback-ms'], '250')
    const { code, detail } = decodeStatus(Buffer.from(String(call.answer['grpc-status-details-bin']), 'base64'))
    assert.equal(code, 8)
    const { reason, retryAfterMs, retryable } = detail ?? assert.fail()
    return { code: 'resource_exhausted', reason, retryAfterMs, retryable }
  }
})

for (const protocol of ['cleartext', 'tls'] as const) {
  describe(`${protocol}: `, () => {
    for (const [name, port, attack] of [
      ['bodies over HTTP', 'http', httpAttack(false)],
      ['gzip bombs over HTTP', 'http', httpAttack(true)],
      ['messages of gRPC', 'grpc', grpcAttack(false)],
      ['gzip bombs of gRPC', 'grpc', grpcAttack(true)]
    ] as const) {
      test(`many large ${name} at once stay within the budget, and others are served`, {
        timeout: 20_000
      }, async (context) => {
        const { server, open, letGo, keep } = await slowServer(context, protocol)
        const url = port === 'http' ? server.http : server.grpc
        const answers: Promise<Answer | 'ok'>[] = []
        const refused: Answer[] = []
        for (let connection = 0; connection < 8; connection++) {
          const session = open(url)
          for (let request = 0; request < 8; request++) {
            const answer = attack.send(session, true)
            answers.push(answer)
            void answer.then((found) => found !== 'ok' && refused.push(found))
          }
        }
        // Sixty-four requests of 200 KiB, of which seven fit.
        await until(() => refused.length >= 50, 'fifty refusals')
        const { heldBytes, peakBytes, maxBytes } = server.memory
        assert.ok(heldBytes > content.length && peakBytes <= maxBytes, `${heldBytes} ${peakBytes}`)
        for (const { code, reason, retryable, retryAfterMs } of refused) {
          assert.deepEqual([code, retryable, retryAfterMs], ['resource_exhausted', true, 250])
          assert.ok(reason === 'server_full' || reason === 'connection_full', reason)
        }
        // The last of the budget is for small requests alone.
        for (const [transport, endpoint] of [
          ['msgpack', server.http],
          ['grpc', server.grpc.replace(/^http/, 'grpc')]
        ] as const) {
          const tls = protocol === 'tls' ? { ca: pem('ca.pem') } : undefined
          const client = keep(createClient({ endpoint, transport, tls, retry: false }))
          const name = `others-${transport}`
          await client.createRepository(name)
          await Promise.all(Array.from({ length: 50 }, (_, index) => client.storeBlob(name, `${index}`)))
        }
        letGo()
        const all = await Promise.all(answers)
        assert.ok(all.filter((answer) => answer === 'ok').length >= 5)
        await until(() => server.memory.heldBytes === 0, 'nothing is held')
      })
    }
  })
}

test('bodies that never end hold what has come, and no more than the share of their connection', {
  timeout: 20_000
}, async (context) => {
  const { server, open } = await slowServer(context, 'cleartext')
  for (const [url, attack] of [
    [server.http, httpAttack(false)],
    [server.grpc, grpcAttack(false)]
  ] as const) {
    const session = open(url)
    const streams: ClientHttp2Stream[] = []
    const request = session.request.bind(session)
    session.request = (...fields) => {
      const stream = request(...fields)
      streams.push(stream)
      return stream
    }
    const refusals = Array.from({ length: 8 }, () => attack.send(session, false))
    const { reason } = (await Promise.any(refusals)) as Answer
    assert.equal(reason, 'connection_full')
    const { heldBytes, maxConnectionBytes } = server.memory
    assert.ok(heldBytes > 4 * content.length && heldBytes <= maxConnectionBytes, `${heldBytes}`)
    // Not by destroy(): Node 22 then damages the heap of the client.
    for (const stream of streams) stream.close(constants.NGHTTP2_CANCEL)
    await until(() => server.memory.heldBytes === 0, 'nothing is held')
  }
})

const frame = (firstId: number) => ({
  batch: { repository: 'slow', firstId, operations: [{ storeBlob: { content } }] }
})

test('a session is not read on while its connection holds half of its share', { timeout: 20_000 }, async (context) => {
  const { server, letGo } = await slowServer(context, 'cleartext')
  for (const flags of [0, 1]) {
    const session = new RawSession(server.http, flags === 1 ? { 'connect-content-encoding': 'gzip' } : {})
    context.after(() => session.connection.destroy())
    for (let id = 0; id < 30; id++) session.send(frame(id), flags)
    await until(() => server.memory.heldBytes > 2 * content.length, 'frames are held')
    if (flags === 1) letGo()
    const { heldBytes, maxConnectionBytes } = server.memory
    assert.ok(heldBytes <= maxConnectionBytes, `${heldBytes}`)
    if (flags === 0) session.connection.destroy()
    else {
      // Thirty frames of 200 KiB, sent at once, are six times the share: none of them is refused.
      await until(() => session.results.size === 30, 'all have results')
      assert.deepEqual(new Set(session.results.values()), new Set(['not_found']))
    }
    if (flags === 1) session.stream.end()
  }
  await until(() => server.memory.heldBytes === 0, 'nothing is held')
  assert.equal(server.memory.refusals, 0)
})

const sessionRequest = loadProto()['blobwire.v1.SessionRequest'] as { serialize(message: object): Buffer }

for (const [port, contentType, encodeFrame] of [
  ['http', 'application/connect+msgpack', (id: number) => encode(frame(id))],
  ['grpc', 'application/grpc', (id: number) => sessionRequest.serialize(frame(id))]
] as const) {
  test(`${port}: what waits in the windows of unread sessions is bounded`, { timeout: 20_000 }, async (context) => {
    const { server, open, keep, letGo } = await slowServer(context, 'cleartext')
    const calls = Array.from({ length: 3 }, () =>
      rawCall(open(server[port]), 'Session', { 'content-type': contentType })
    )
    let text = ''
    for (const { stream } of calls) {
      stream.on('data', (chunk) => {
        text += String(chunk)
      })
      // A window is 8 MiB; all sessions together have 3.1 MiB.
      for (let id = 0; id < 30; id++) stream.write(grpcMessage(encodeFrame(id)))
    }
    const isTold = () => text.includes('server_full') || calls.some(({ answer }) => answer['grpc-status'] === '8')
    await until(isTold, 'a refusal')
    const { maxBytes, unread } = server.memory
    await until(() => server.memory.heldBytes + unread.bytes <= 2 * maxBytes, 'room')
    await keep(createClient({ endpoint: server.http, retry: false })).createRepository('others')
    letGo()
    for (const { stream } of calls) stream.session?.destroy()
    await until(() => server.memory.heldBytes === 0, 'nothing is held')
  })
}

test('the capabilities tell the budget, which has room for a full request', async (context) => {
  const { server } = await slowServer(context, 'cleartext')
  const answer = (await (await fetch(`${server.http}/.well-known/blobwire`)).json()) as { limits: object }
  const { maxConnectionInFlightBytes, maxInFlightBytes } = limits
  assert.partialDeepStrictEqual(answer.limits, {
    maxConnectionInFlightBytes: String(maxConnectionInFlightBytes),
    maxInFlightBytes: String(maxInFlightBytes)
  })
  const small = { ...defaultLimits, maxConnectionInFlightBytes: defaultLimits.maxBatchBytes }
  assert.throws(() => new MemoryBudget(small), /maxConnectionInFlightBytes: must be at least twice maxBatchBytes/)
  const narrow = { ...defaultLimits, maxInFlightBytes: defaultLimits.maxConnectionInFlightBytes }
  assert.throws(() => new MemoryBudget(narrow), /maxInFlightBytes: must be/)
})
