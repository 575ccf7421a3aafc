/** A tracer of the application that throws costs no answer, and no process. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type TracerProvider, trace } from '@opentelemetry/api'
import { ServerTracing } from '../../server-fixture/tracing/server-tracing.ts'
import { atEnd, testServer } from '../support/server.ts'

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  test(`${transport}: requests and operations of frames are answered`, async (context) => {
    let thrown = 0
    const startSpan = () => {
      thrown++
      throw new Error('a sampler with a bug')
    }
    const provider = { getTracer: () => ({ ...trace.getTracer('none'), startSpan }) } as unknown as TracerProvider
    const fixture = atEnd(context, await testServer({ tracing: new ServerTracing(provider) }))
    const headers = { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` }
    const repo = fixture.client({ transport }).repository('demo')
    await repo.createRepository()
    assert.equal((await repo.storeBlob('x', { headers })).size, 1)
    await assert.rejects(repo.getBlob('ab'.repeat(20), { headers }), { code: 'not_found' })
    await repo.getRepository()
    assert.ok(thrown >= 3, String(thrown))
  })
}
