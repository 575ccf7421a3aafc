/** What the server holds for a client that reads no answers is bounded. A session over streams in the hands of the test. */
import assert from 'node:assert/strict'
import type { ServerHttp2Stream } from 'node:http2'
import { Readable, Writable } from 'node:stream'
import { test } from 'node:test'
import { createAuthenticator } from '../../server-fixture/auth.ts'
import type { Exchange } from '../../server-fixture/http/exchange.ts'
import { handleSession } from '../../server-fixture/http/session.ts'
import { connectStreams } from '../../server-fixture/http/stream-protocol.ts'
import { Charge, MemoryBudget } from '../../server-fixture/memory-budget.ts'
import { ServerMetrics } from '../../server-fixture/metrics/server-metrics.ts'
import { Session } from '../../server-fixture/service/session.ts'
import type { VcsService } from '../../server-fixture/service/vcs-service.ts'
import { encodeEnvelope } from '../../src/codec/envelope.ts'
import { msgpackCodec } from '../../src/codec/msgpack.ts'
import type { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { newRecord } from '../support/records.ts'
import { until } from '../support/until.ts'

const memory = () =>
  new MemoryBudget({ maxInFlightBytes: 2 ** 30, maxConnectionInFlightBytes: 2 ** 28, maxBatchBytes: 2 ** 22 })
const getRepository = { getRepository: { repository: '' } }
const batch = (firstId: number, count = 1): Messages['SessionRequest'] => ({
  batch: { repository: 'demo', firstId, operations: Array(count).fill(getRepository), headerLists: [] }
})

/** A service whose batches answer with a text of so many bytes. */
function serviceOf(bytes: number) {
  const asked = { batches: 0 }
  const repository = { repository: 'x'.repeat(bytes), objectFormat: 'sha1' as const, defaultBranch: '' }
  const service = {
    limits: defaultLimits,
    sessionBatch: async () => {
      asked.batches++
      return [{ getRepository: repository }]
    }
  } as unknown as VcsService
  return { asked, service }
}

/** A session of which the test says whether its client reads. */
function sessionOn(service: VcsService) {
  const stream = {
    isRead: true,
    unreadBytes: 0,
    isPaused: false,
    answers: 0,
    input: { pause: () => (stream.isPaused = true), resume: () => (stream.isPaused = false) },
    /** The first answer that the client does not read. */
    onAnswer: () => undefined as unknown,
    send({ results }: Messages['SessionResponse']) {
      stream.answers += results.length
      if (results.length > 0) stream.onAnswer()
    },
    flushed: async () => undefined,
    error: undefined as BlobwireError | undefined,
    async end(error: BlobwireError | undefined) {
      stream.error = error
    }
  }
  const budget = memory().of({})
  const authenticate = () => ({ may: () => true })
  const draining = new AbortController().signal
  const record = newRecord()
  const context = { service, requestId: 'test', budget, authenticate, draining, record, bodyTimeoutMs: 60_000 }
  const session = new Session(stream, context)
  session.start()
  return {
    stream,
    receive: (firstId: number, count?: number) => session.receive(batch(firstId, count), new Charge(budget)),
    session
  }
}

test('a session that is not read on ends when its window holds more than the server may', async () => {
  const { stream, receive } = sessionOn(serviceOf(10).service)
  stream.unreadBytes = 2 ** 32
  stream.isRead = false
  receive(0)
  await until(() => stream.error !== undefined, 'the end of the session')
  assert.equal(stream.error?.reason, 'server_full')
})

test('while the client reads no answers, its batches wait, and nothing more is read', async () => {
  const { asked, service } = serviceOf(10)
  const { stream, receive, session } = sessionOn(service)
  stream.isRead = false
  receive(0)
  receive(1)
  assert.deepEqual([asked.batches, stream.isPaused], [0, true])
  stream.isRead = true
  session.onDrain()
  await until(() => stream.answers === 2, 'answered')
  assert.deepEqual([asked.batches, stream.isPaused], [2, false])
})

test('an answer that the client does not read stops the reading of its frames', async () => {
  const { service } = serviceOf(10)
  const { stream, receive } = sessionOn(service)
  stream.onAnswer = () => (stream.isRead = false)
  receive(0)
  assert.equal(stream.isPaused, false)
  await until(() => stream.answers === 1, 'answered')
  assert.equal(stream.isPaused, true)
})

test('at most 64 batches of a session run at once, and at most 20,000 operations are pending', () => {
  let running = 0
  const service = {
    limits: defaultLimits,
    sessionBatch: () => {
      running++
      return new Promise(() => undefined)
    }
  } as unknown as VcsService
  const { stream, receive } = sessionOn(service)
  for (let id = 0; id < 70; id++) receive(id)
  assert.deepEqual([running, stream.isPaused], [64, false])
  for (let id = 70; id < 20_000; id += 1000) receive(id, 1000)
  assert.deepEqual([running, stream.isPaused], [64, true])
})

test('over HTTP, a client counts as reading while at most 8 MiB of answers wait', async (context) => {
  const mebibyte = 2 ** 20
  const { asked, service } = serviceOf(4 * mebibyte)
  const written: (() => void)[] = []
  const output = new Writable({ write: (_chunk, _encoding, done) => void written.push(done) })
  const body = new Readable({ read: () => undefined })
  context.after(() => body.destroy())
  const exchange = {
    headers: {},
    connection: {},
    record: newRecord(),
    open: () => output as ServerHttp2Stream,
    openBody: () => body
  } as unknown as Exchange
  const authenticator = createAuthenticator([])
  const draining = new AbortController().signal
  const times = { bodyTimeoutMs: 60_000, callTimeoutMs: 60_000, idleTimeoutMs: 60_000, transferDrainMs: 60_000 }
  const bounds = { memory: memory(), metrics: new ServerMetrics(), ...times }
  const protocol = connectStreams
  const codec = msgpackCodec
  const session = { ...bounds, service, authenticator, draining, protocol, codec, requestId: 'test' }
  void handleSession(exchange, session)
  const send = (firstId: number) => body.push(encodeEnvelope(0, msgpackCodec.encode('SessionRequest', batch(firstId))))
  // Each is sent when the one before it is answered; two answers fit into 8 MiB, and are a little more than that.
  for (const count of [1, 2]) {
    send(count)
    await until(() => asked.batches === count && output.writableLength > 4 * count * mebibyte, `${count} answers`)
  }
  await until(() => body.isPaused(), 'paused')
  send(3)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  assert.deepEqual([asked.batches, body.isPaused()], [2, true])
  while (written.length > 0) written.shift()?.()
  await until(() => asked.batches === 3, 'the third')
})
