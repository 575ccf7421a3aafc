/**
 * A few bytes on the wire that would be millions of objects: refused as `resource_exhausted` before they become objects,
 * by the server and by the client, on all transports, in sessions, unary calls and errors.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { startAnsweringServer } from '../support/answering-server.ts'
import { answerBomb, compressors, connectTo, errorBomb, requestBomb, send, ways } from '../support/bombs.ts'
import { failureOf } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

const token = 'Sup3rS3cretT0ken'
/** Most bytes of objects while a bomb is refused: without a bound, each of these has hundreds of megabytes. */
const maxHeapBytes = 64 * 1024 * 1024

async function heapGrowth(work: () => Promise<void>): Promise<number> {
  const before = process.memoryUsage().heapUsed
  await work()
  return process.memoryUsage().heapUsed - before
}

for (const way of ways) {
  test(`${way}: the server refuses 1,000,000 operations before they are objects`, async (context) => {
    const grants = [{ token, access: 'write', repositories: ['*'] }] as const
    const fixture = atEnd(context, await testServer({ grants }))
    const session = await connectTo(way.startsWith('grpc') ? fixture.server.grpc : fixture.server.http)
    context.after(() => session.destroy())
    await fixture.client({ token }).createRepository('demo')
    for (const compressor of compressors) {
      const bomb = requestBomb(way, 1_000_000, compressor)
      assert.ok(bomb.body.length < 5000, `${bomb.body.length} bytes`)
      const grown = await heapGrowth(async () => {
        const { text } = await send(session, bomb, token)
        assert.match(text, /resource_exhausted|"grpc-status":"?8\b/)
        assert.match(text.replaceAll('%20', ' '), /the message has more than 87381 objects/)
      })
      assert.ok(grown < maxHeapBytes, `${compressor}: ${grown} bytes`)
    }
    // Below that bound, a batch is refused by the limit that the capabilities tell, once and not for each operation.
    const { text } = await send(session, requestBomb(way, 80_000), token)
    assert.match(text, /max_batch_operations/)
    assert.ok(text.length < 5000, `${text.length} bytes`)
    assert.match(
      (await send(session, requestBomb(way, 1001), token)).text,
      /max_batch_operations|max_batch_bytes|repository/
    )
  })

  test(`${way}: the client refuses an answer of millions of results before they are objects`, async (context) => {
    const server = atEnd(context, await startAnsweringServer())
    const [transport, kind] = way.split(' ') as ['json' | 'msgpack' | 'grpc', string]
    // With JSON, 8,000,000 results are larger than maxResponseBytes.
    server.answer = answerBomb(way, transport === 'json' ? 5_000_000 : 8_000_000)
    const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${server.port}`
    const client = createClient({
      endpoint,
      transport,
      token,
      timeoutMs: 5000,
      ...(kind === 'unary' ? { batch: false } : {})
    })
    context.after(() => client.close())
    const grown = await heapGrowth(async () => {
      const call = kind === 'unary' ? client.batch('demo', [{ getRepository: {} }]) : client.getRepository('demo')
      const { error } = await failureOf(call)
      assert.equal(error.code, 'resource_exhausted', error.message)
      assert.equal(error.reason, 'response_too_large')
      assert.match(error.message, /the message has more than \d+ (objects|values)/)
    })
    assert.ok(grown < maxHeapBytes, `${grown} bytes`)
  })
}

for (const kind of ['unary', 'session'] as const) {
  test(`${kind}: an error with millions of details is no objects either`, async (context) => {
    const server = atEnd(context, await startAnsweringServer())
    server.answer = errorBomb(kind, 5_000_000)
    const endpoint = `http://127.0.0.1:${server.port}`
    const client = createClient({
      endpoint,
      transport: 'msgpack',
      timeoutMs: 5000,
      ...(kind === 'unary' ? { batch: false } : {})
    })
    context.after(() => client.close())
    const grown = await heapGrowth(async () => {
      const { error } = await failureOf(client.getRepository('demo'))
      // Without its error object, an answer is judged by its status.
      assert.equal(error.code, kind === 'unary' ? 'unknown' : 'resource_exhausted', error.message)
    })
    assert.ok(grown < maxHeapBytes, `${grown} bytes`)
  })
}
