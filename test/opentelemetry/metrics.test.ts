/** Metrics of clients with the real SDK of OpenTelemetry. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { BlobwireError, blobOid } from '../../src/index.ts'
import { callDurations, meterClients } from '../../src/opentelemetry.ts'
import { atEnd, testServer } from '../support/server.ts'

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

interface Point {
  readonly value: number | { readonly count: number; readonly sum?: number }
  readonly attributes: Readonly<Record<string, unknown>>
}

test('reasons that a server invents stay bounded', async () => {
  const reader = new Reader()
  const observer = callDurations({ meterProvider: new MeterProvider({ readers: [reader] }) })
  for (let number = 0; number < 500; number++) {
    const call = { method: 'getBlob', rpc: 'S/GetBlob', repository: 'a', operations: 1, timeoutMs: 1, startedAtMs: 0 }
    const error = new BlobwireError({ code: 'internal', reason: `r${number}`, message: 'x' })
    const outcome = { atMs: 1, durationMs: 1, error, attempts: 1, sent: 'processed' } as const
    observer.callStarted?.(call)?.ended?.({ ...outcome, endpoint: 'http://a', transport: 'json', requestId: undefined })
  }
  const { resourceMetrics } = await reader.collect()
  const points = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
    metrics.flatMap((each) => [...each.dataPoints] as unknown[])
  )
  assert.ok(points.length > 50 && points.length <= 101, `${points.length} series`)
})

test('counts are those of stats(), and durations have the attributes of the conventions', async (context) => {
  const fixture = atEnd(context, await testServer())
  const reader = new Reader()
  const meterProvider = new MeterProvider({ readers: [reader] })
  const client = fixture.client({ observers: [callDurations({ meterProvider })] })
  const unregister = meterClients(client, { meterProvider })
  await client.createRepository('demo')
  await Promise.all(['a', 'b', 'c'].map((content) => client.storeBlob('demo', content)))
  await assert.rejects(client.getBlob('demo', blobOid('never')))
  const pointsOf = async () => {
    const { resourceMetrics } = await reader.collect()
    const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
    const byName = new Map(metrics.map((metric) => [metric.descriptor.name, metric]))
    return (name: string) => (byName.get(name)?.dataPoints ?? []) as unknown as Point[]
  }
  const points = await pointsOf()
  const stats = client.stats()
  const stored = { 'blobwire.client': 'default', method: 'storeBlob', code: 'ok' }
  const calls = points('blobwire.client.calls')
  assert.equal(calls.find(({ attributes }) => JSON.stringify(attributes) === JSON.stringify(stored))?.value, 3)
  assert.equal(
    calls.reduce((sum, { value }) => sum + (value as number), 0),
    stats.calls
  )
  assert.deepEqual(
    points('blobwire.client.attempts').map(({ value }) => value),
    [stats.attempts]
  )
  assert.deepEqual(
    points('blobwire.client.sent_bytes').map(({ value }) => value),
    [stats.bytesSent]
  )
  const rpc = (method: string) => `blobwire.v1.VcsService/${method}`
  const durations = points('rpc.client.call.duration')
  const failed = durations.find(({ attributes }) => attributes['rpc.method'] === rpc('GetBlob'))
  assert.equal(failed?.attributes['error.type'], 'not_found')
  const { value, attributes } =
    durations.find((each) => each.attributes['rpc.method'] === rpc('StoreBlob')) ?? assert.fail()
  assert.equal((value as { count: number }).count, 3)
  assert.ok((value as { sum: number }).sum < 60, 'seconds')
  assert.deepEqual(Object.keys(attributes).sort(), [
    'blobwire.transport',
    'rpc.method',
    'rpc.system.name',
    'server.address',
    'server.port'
  ])
  unregister()
  await client.storeBlob('demo', 'd')
  // What was counted stays with the reader; nothing is read from the client any more.
  const later = (await pointsOf())('blobwire.client.attempts').map((point) => point.value)
  assert.deepEqual(later, [stats.attempts])
  await meterProvider.shutdown()
})
