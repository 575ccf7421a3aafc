/** Traces of calls with the real SDK of OpenTelemetry, from the caller's span to the server's. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider
} from '@opentelemetry/sdk-trace'
import { Faults } from '../../server-fixture/faults/faults.ts'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { ServerTracing } from '../../server-fixture/tracing/server-tracing.ts'
import { blobOid, type ClientOptions } from '../../src/index.ts'
import { type TracingOptions, tracing } from '../../src/opentelemetry.ts'
import { atEnd, testServer } from '../support/server.ts'

const exporter = new InMemorySpanExporter()
const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter } as never)] })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const injected: string[] = []
propagation.setGlobalPropagator(
  new (class extends W3CTraceContextPropagator {
    override inject(...[active, carrier, setter]: Parameters<W3CTraceContextPropagator['inject']>): void {
      super.inject(active, carrier, setter)
      injected.push((carrier as Record<string, string>)['traceparent'] ?? '')
    }
  })()
)
const tracer = tracerProvider.getTracer('application')
const service = 'blobwire.v1.VcsService'

async function traced(
  given: TestContext,
  options: Partial<ClientOptions> & { tracing?: TracingOptions; server?: Partial<ServerOptions> }
) {
  exporter.reset()
  const faults = new Faults()
  const { tracing: own, server, ...others } = options
  const fixture = atEnd(given, await testServer({ faults, ...server }))
  const client = fixture.client({ observers: [tracing({ tracerProvider, ...own })], ...others })
  await client.createRepository('demo')
  exporter.reset()
  return { client, faults, fixture }
}

const spans = () => exporter.getFinishedSpans()

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: a call is a span below the caller's, with a span for its attempt`, async (given) => {
    const { client } = await traced(given, { transport })
    await tracer.startActiveSpan('job', async (job) => {
      await Promise.all([client.storeBlob('demo', 'a'), client.storeBlob('demo', 'b')])
      job.end()
    })
    const job = spans().find(({ name }) => name === 'job') ?? assert.fail()
    const calls = spans().filter(({ parentSpanContext }) => parentSpanContext?.spanId === job.spanContext().spanId)
    assert.equal(calls.length, 2)
    for (const call of calls) {
      assert.deepEqual([call.name, call.kind], [`${service}/StoreBlob`, SpanKind.CLIENT])
      const [attempt, ...others] = spans().filter(
        ({ parentSpanContext }) => parentSpanContext?.spanId === call.spanContext().spanId
      )
      assert.equal(others.length, 0)
      assert.equal(attempt?.kind, SpanKind.CLIENT)
      const { 'server.port': port, ...attributes } = attempt?.attributes ?? {}
      assert.equal(typeof port, 'number')
      assert.deepEqual(attributes, {
        'rpc.system.name': transport === 'grpc' ? 'grpc' : 'connectrpc',
        'rpc.method': `${service}/StoreBlob`,
        'server.address': '127.0.0.1',
        'blobwire.transport': transport,
        ...(transport === 'grpc' ? { 'rpc.response.status_code': 'OK' } : {})
      })
      const within = [job, call, attempt ?? assert.fail()].map(({ startTime, endTime }) => [startTime, endTime].map(ms))
      for (const [outer, inner] of [
        [within[0], within[1]],
        [within[1], within[2]]
      ] as const) {
        // Each span has a clock of its own, which on a busy machine is some milliseconds late.
        assert.ok((outer?.[0] ?? 0) <= (inner?.[0] ?? 0) + 50 && (outer?.[1] ?? 0) >= (inner?.[1] ?? 0) - 50)
      }
    }
  })
}

const ms = ([seconds, nanos]: readonly [number, number]) => seconds * 1000 + nanos / 1e6

test('an error is told with its code, its reason and the id under which the server logs it', async (given) => {
  const { client } = await traced(given, {})
  await assert.rejects(client.getBlob('demo', blobOid('never')), { code: 'not_found' })
  const [attempt, call] = spans()
  for (const span of [attempt, call]) {
    assert.equal(span?.status.code, SpanStatusCode.ERROR)
    assert.equal(span?.attributes['error.type'], 'not_found')
    assert.equal(span?.attributes['blobwire.reason'], 'object')
  }
  assert.equal(typeof call?.attributes['blobwire.request_id'], 'string')
})

test('each attempt has its own span and context, and the call tells of the retry', async (given) => {
  for (const attempts of ['all', 'repeated'] as const) {
    const { client, faults } = await traced(given, { batch: false, tracing: { attempts } })
    faults.add({ rpc: 'GetBlob', count: 1, fault: { kind: 'status', code: 'unavailable' } })
    const { oid } = await client.storeBlob('demo', 'a')
    exporter.reset()
    await client.getBlob('demo', oid)
    const call = spans().at(-1) ?? assert.fail()
    assert.equal(call.attributes['blobwire.attempts'], 2)
    assert.deepEqual(
      call.events.map(({ name }) => name),
      ['retry']
    )
    const numbers = spans()
      .slice(0, -1)
      .map((span) => span.attributes['blobwire.attempt'] ?? 1)
    assert.deepEqual(numbers, attempts === 'all' ? [1, 2] : [2])
  }
})

test('a trace that is not sampled makes no spans, and the server is told so', async (given) => {
  const off = new TracerProvider({ sampler: new AlwaysOffSampler() })
  const { client } = await traced(given, { tracing: { tracerProvider: off } })
  injected.length = 0
  await client.storeBlob('demo', 'a')
  assert.deepEqual(spans(), [])
  assert.match(injected[0] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
})

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: the server's span is below the attempt's, and a frame links to all that it serves`, async (given) => {
    const { client } = await traced(given, { transport, server: { tracing: new ServerTracing(tracerProvider) } })
    const isSpanOf = (kind: SpanKind, name: string) => (span: ReadableSpan) => span.kind === kind && span.name === name
    const contents = ['a', 'b', 'c']
    await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
    await assert.rejects(client.getBlob('demo', blobOid('never')), { code: 'not_found' })
    await client.listRepositories()
    await client.upload('demo', new Uint8Array(3_000_000))
    const attempts = new Map(
      spans()
        .filter(({ parentSpanContext, kind }) => kind === SpanKind.CLIENT && parentSpanContext !== undefined)
        .map((span) => [span.spanContext().spanId, span])
    )
    for (const [name, count] of [
      ['StoreBlob', 3],
      ['GetBlob', 1],
      ['ListRepositories', 1],
      ['UploadBlob', 1]
    ] as const) {
      const served = spans().filter(isSpanOf(SpanKind.SERVER, `${service}/${name}`))
      assert.equal(served.length, count, name)
      for (const span of served) {
        const attempt = attempts.get(span.parentSpanContext?.spanId ?? '')
        assert.equal(attempt?.name, span.name)
        assert.equal(attempt?.spanContext().traceId, span.spanContext().traceId)
        assert.equal(
          span.attributes['blobwire.transport'],
          transport === 'grpc' ? 'grpc' : name === 'UploadBlob' ? 'http' : transport
        )
        assert.equal(typeof span.attributes['blobwire.request_id'], 'string')
      }
    }
    const [missing] = spans().filter(isSpanOf(SpanKind.SERVER, `${service}/GetBlob`))
    const status = transport === 'grpc' ? 'NOT_FOUND' : 'not_found'
    assert.equal(missing?.attributes['blobwire.reason'], 'object')
    // The caller's mistake is no error of the server.
    assert.deepEqual([missing?.attributes['rpc.response.status_code'], missing?.status.code], [status, 0])
    const stored = new Set(
      spans()
        .filter(isSpanOf(SpanKind.SERVER, `${service}/StoreBlob`))
        .map((span) => span.spanContext().spanId)
    )
    const linked = spans()
      .filter(isSpanOf(SpanKind.INTERNAL, 'frame'))
      .flatMap(({ links }) => links.map((link) => link.context.spanId))
    for (const id of stored) assert.ok(linked.includes(id), 'a frame links to the operation')
  })
}

test('operations without a trace context make no spans of frames', async (given) => {
  const { fixture } = await traced(given, { server: { tracing: new ServerTracing(tracerProvider) } })
  const client = fixture.client({ batch: {} })
  await client.storeBlob('demo', 'a')
  assert.deepEqual(spans(), [])
})

test('without a registered provider, calls pass as they are', async (given) => {
  trace.disable()
  const fixture = atEnd(given, await testServer())
  const client = fixture.client({ observers: [tracing()] })
  await client.createRepository('demo')
  assert.equal((await client.storeBlob('demo', 'a')).size, 1)
})

test('a request of Git is a span of the server, and no call of the service', async (given) => {
  const { fixture } = await traced(given, { server: { tracing: new ServerTracing(tracerProvider) } })
  const { status } = await fetch(`${fixture.server.http}/nobody.git/info/refs?service=git-upload-pack`)
  assert.equal(status, 404)
  const [span, ...others] = spans()
  assert.equal(others.length, 0)
  const { 'blobwire.request_id': id, ...attributes } = span?.attributes ?? {}
  assert.match(String(id), /./)
  assert.deepEqual([span?.name, span?.kind], ['GitInfoRefs', SpanKind.SERVER])
  assert.deepEqual(attributes, { 'blobwire.transport': 'http', 'blobwire.reason': 'repository' })
})
