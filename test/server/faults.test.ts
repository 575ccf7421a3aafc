/** The fixture misbehaves on command, as clients that nobody here wrote see it. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { credentials, Client as GrpcClient, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import type { ServiceDefinition } from '@grpc/proto-loader'
import type { Effect } from '../../server-fixture/faults/effects.ts'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { Fault, FaultRule } from '../../server-fixture/faults/rules.ts'
import { startServerProcess } from '../../server-fixture/process.ts'
import { loadProto } from '../../src/codec/proto.ts'
import { serviceName } from '../../src/schema/methods.ts'
import { atEnd, testServer } from '../support/server.ts'

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Code of RST_STREAM; 0 = the stream ended in good order. */
  readonly rst: number
  readonly tookMs: number
}

interface Scene {
  readonly faults: Faults
  readonly effects: Effect[]
  readonly http: ClientHttp2Session
  /** A unary call over plain HTTP/2, in JSON. */
  post(rpc: string, message: object, timeoutMs?: number): Promise<Answer>
  /** The same over grpc-js; the error where it failed. */
  grpc(rpc: string, message: object, timeoutMs?: number): Promise<ServiceError | undefined>
}

async function scene(context: TestContext, ...rules: FaultRule[]): Promise<Scene> {
  const faults = new Faults()
  const effects: Effect[] = []
  const fixture = atEnd(context, await testServer({ faults, onEffect: (effect) => effects.push(effect) }))
  await fixture.client({ batch: false }).createRepository('demo')
  const http = connect(fixture.server.http)
  http.on('error', () => undefined)
  context.after(() => http.destroy())
  const service = loadProto()[serviceName] as ServiceDefinition
  const grpc = new GrpcClient(new URL(fixture.server.grpc).host, credentials.createInsecure())
  context.after(() => grpc.close())
  for (const rule of rules) faults.add(rule)
  return {
    faults,
    effects,
    http,
    post: (rpc, message, timeoutMs) => post(http, rpc, message, timeoutMs),
    grpc(rpc, message, timeoutMs = 5000) {
      const { path, requestSerialize, responseDeserialize } = service[rpc] as MethodDefinition<object, object>
      const options = { deadline: Date.now() + timeoutMs }
      return new Promise((resolve) => {
        grpc.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, options, (error) =>
          resolve(error ?? undefined)
        )
      })
    }
  }
}

function post(http: ClientHttp2Session, rpc: string, message: object, timeoutMs = 5000): Promise<Answer> {
  const began = performance.now()
  return new Promise((resolve) => {
    const stream = http.request({
      ':method': 'POST',
      ':path': `/${serviceName}/${rpc}`,
      'content-type': 'application/json'
    })
    let headers: IncomingHttpHeaders = {}
    const parts: Buffer[] = []
    stream.on('response', (found) => {
      headers = found
    })
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      const body = Buffer.concat(parts)
      resolve({
        status: headers[':status'] as number | undefined,
        headers,
        body,
        rst: stream.rstCode ?? 0,
        tookMs: performance.now() - began
      })
    })
    stream.setTimeout(timeoutMs, () => stream.close(constants.NGHTTP2_CANCEL))
    stream.end(JSON.stringify(message))
  })
}

const blob = (content: string) => ({ repository: 'demo', content: Buffer.from(content).toString('base64') })
const grpcBlob = (content: string) => ({ repository: 'demo', content: Buffer.from(content) })
const rule = (fault: Fault, over: Partial<FaultRule> = {}): FaultRule => ({ rpc: 'StoreBlob', fault, ...over })

test('status: the error with its time to wait, before any work, on both doors', async (context) => {
  const fault = { kind: 'status', code: 'unavailable', retryAfterMs: 1500 } as const
  const { post, grpc, faults } = await scene(context, rule(fault))
  const { status, body } = await post('StoreBlob', blob('a'))
  assert.equal(status, 503)
  assert.equal((JSON.parse(body.toString()) as { code: string }).code, 'unavailable')
  assert.equal((await grpc('StoreBlob', grpcBlob('a')))?.code, 14)
  assert.deepEqual([faults.fired('status'), faults.carriedOut('StoreBlob')], [2, 0])
  assert.equal((await post('GetRepository', { repository: 'demo' })).status, 200, 'another RPC')
})

test('http_status: what a proxy answers', async (context) => {
  const { post, grpc } = await scene(context, rule({ kind: 'http_status', status: 503, retryAfterSeconds: 7 }))
  const { status, headers, body } = await post('StoreBlob', blob('a'))
  assert.deepEqual([status, headers['retry-after'], headers['content-type']], [503, '7', 'text/html'])
  assert.match(body.toString(), /<html>/)
  assert.equal((await grpc('StoreBlob', grpcBlob('a')))?.code, 14)
})

test('delay', async (context) => {
  const { post, grpc } = await scene(context, rule({ kind: 'delay', ms: 150 }))
  assert.ok((await post('StoreBlob', blob('a'))).tookMs >= 145)
  const began = performance.now()
  assert.equal(await grpc('StoreBlob', grpcBlob('a')), undefined)
  assert.ok(performance.now() - began >= 145)
})

test('reset before the work, and lost_answer after it', async (context) => {
  const { post, grpc, faults, effects } = await scene(context)
  for (const [fault, done] of [
    [{ kind: 'reset', code: constants.NGHTTP2_INTERNAL_ERROR }, 0],
    [{ kind: 'lost_answer' }, 1]
  ] as const) {
    faults.clear()
    faults.add(rule(fault))
    const before = [faults.carriedOut('StoreBlob'), effects.length] as const
    const answer = await post('StoreBlob', blob(fault.kind))
    assert.deepEqual([answer.status, answer.rst], [undefined, constants.NGHTTP2_INTERNAL_ERROR])
    assert.ok([13, 14].includes((await grpc('StoreBlob', grpcBlob(`${fault.kind} grpc`)))?.code ?? 0))
    assert.equal(faults.carriedOut('StoreBlob'), before[0] + 2 * done)
    assert.equal(effects.length, before[1] + 2 * done)
  }
})

test('silence: no answer, and the server ends with the caller', async (context) => {
  const { post, grpc } = await scene(context, rule({ kind: 'silence' }))
  const { status, tookMs } = await post('StoreBlob', blob('a'), 200)
  assert.equal(status, undefined)
  assert.ok(tookMs >= 190)
  assert.equal((await grpc('StoreBlob', grpcBlob('a'), 200))?.code, 4)
})

test('refuse: REFUSED_STREAM', async (context) => {
  const { post, grpc } = await scene(context, rule({ kind: 'refuse' }))
  assert.equal((await post('StoreBlob', blob('a'))).rst, constants.NGHTTP2_REFUSED_STREAM)
  assert.equal((await grpc('StoreBlob', grpcBlob('a')))?.code, 14)
})

test('truncate, corrupt, bad_gzip: the answer is not what it should be', async (context) => {
  const { post, grpc, faults } = await scene(context)
  const sound = (await post('StoreBlob', blob('a'))).body
  const spoilt: Partial<Record<Fault['kind'], (answer: Answer) => void>> = {
    truncate: ({ body }) => assert.ok(body.length < sound.length),
    corrupt: ({ body }) => {
      const wrong = [...body].filter((byte, place) => byte !== sound[place])
      assert.deepEqual([body.length, wrong.length], [sound.length, 1])
    },
    bad_gzip: ({ body, headers }) => {
      assert.equal(headers['content-encoding'], 'gzip')
      assert.deepEqual(body, sound)
    }
  }
  for (const [kind, check] of Object.entries(spoilt)) {
    faults.clear()
    faults.add(rule({ kind } as Fault))
    check(await post('StoreBlob', blob('a')))
    const error = await grpc('StoreBlob', grpcBlob('a'))
    assert.ok(kind === 'corrupt' || error !== undefined, kind)
  }
})

test('drip: a byte at a time', async (context) => {
  const { post, grpc } = await scene(context, rule({ kind: 'drip', everyMs: 2 }))
  const { body, tookMs } = await post('StoreBlob', blob('a'))
  assert.equal((JSON.parse(body.toString()) as { size: string }).size, '1')
  assert.ok(tookMs > body.length * 2)
  assert.equal(await grpc('StoreBlob', grpcBlob('a')), undefined)
})

for (const [steps, last, isAnswered] of [
  [2, 'at', true],
  [1, 'at', true],
  [1, 'below', false]
] as const) {
  test(`goaway in ${steps} steps, the stream ${isAnswered ? 'counts' : 'does not count'}`, async (context) => {
    const { post, http, grpc } = await scene(context, rule({ kind: 'goaway', steps, last }, { count: 2 }))
    const lastIds: number[] = []
    http.on('goaway', (_code, id: number) => lastIds.push(id))
    const { status } = await post('StoreBlob', blob('a'), 300)
    assert.equal(status, isAnswered ? 200 : undefined)
    assert.ok(lastIds.length >= 1)
    if (steps === 2) assert.equal(lastIds[0], 2 ** 31 - 1)
    const error = await grpc('StoreBlob', grpcBlob('a'), 1000)
    assert.equal(error === undefined, isAnswered, `${error}`)
  })
}

test('stream_limit: SETTINGS tell it', async (context) => {
  const { post, http } = await scene(context, rule({ kind: 'stream_limit', streams: 1 }))
  await post('StoreBlob', blob('a'))
  if (http.remoteSettings.maxConcurrentStreams !== 1) {
    await new Promise((resolve) => http.once('remoteSettings', resolve))
  }
  assert.equal(http.remoteSettings.maxConcurrentStreams, 1)
})

test('in a batch, a status is for the operation it is for; anything else is for the whole', async (context) => {
  const { post, faults } = await scene(context, rule({ kind: 'status', code: 'unavailable' }, { after: 1, count: 1 }))
  const operations = ['a', 'b', 'c'].map((content) => ({
    storeBlob: { content: Buffer.from(content).toString('base64') }
  }))
  const { body } = await post('BatchOperations', { repository: 'demo', operations })
  const { results } = JSON.parse(body.toString()) as { results: { error?: { code: string } }[] }
  assert.deepEqual(
    results.map(({ error }) => error?.code),
    [undefined, 'unavailable', undefined]
  )
  faults.clear()
  faults.add(rule({ kind: 'lost_answer' }))
  const answer = await post('BatchOperations', { repository: 'demo', operations })
  assert.deepEqual([answer.status, answer.rst], [undefined, constants.NGHTTP2_INTERNAL_ERROR])
})

test('a frame of a session is struck as well, and the client gets over it', async (context) => {
  const faults = new Faults()
  const fixture = atEnd(context, await testServer({ faults }))
  for (const transport of ['json', 'msgpack', 'grpc'] as const) {
    const client = fixture.client({ transport })
    await client.createRepository('demo')
    for (const kind of ['lost_answer', 'reset', 'truncate', 'refuse'] as const) {
      faults.clear()
      const before = faults.fired(kind)
      faults.add({ rpc: kind === 'refuse' ? 'Session' : 'StoreBlob', count: 1, fault: { kind } })
      if (kind === 'refuse') await client.getRepository('demo')
      const { size } = await client.storeBlob('demo', `${transport} ${kind}`)
      assert.equal(size, `${transport} ${kind}`.length)
      if (kind !== 'refuse') assert.equal(faults.fired(kind), before + 1)
    }
  }
})

test('effects: what is repeated has none the second time', async (context) => {
  const { post, effects } = await scene(context)
  await Promise.all([post('StoreBlob', blob('x')), post('StoreBlob', blob('x'))])
  await post('CreateRepository', { repository: 'demo' })
  assert.deepEqual(
    effects.map(({ kind }) => kind),
    ['repository_created', 'object']
  )
})

test('--faults and --effect-log, as a process', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'blobwire-test-'))
  context.after(() => rm(folder, { recursive: true }))
  const [faults, log] = [join(folder, 'faults.json'), join(folder, 'effects')]
  await writeFile(faults, JSON.stringify({ rules: [rule({ kind: 'status', code: 'aborted' }, { count: 1 })] }))
  const server = await startServerProcess('--faults', faults, '--effect-log', log)
  context.after(() => server.stop())
  const http = connect(server.http)
  context.after(() => http.destroy())
  await post(http, 'CreateRepository', { repository: 'demo' })
  assert.equal((await post(http, 'StoreBlob', blob('a'))).status, 409)
  assert.equal((await post(http, 'StoreBlob', blob('a'))).status, 200)
  const lines = (await readFile(log, 'utf8')).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => (JSON.parse(line) as Effect).kind),
    ['repository_created', 'object']
  )
})
