/** A connection on which a server resets every stream is left for another, which may be sound. */
import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { test } from 'node:test'
import { type BlobwireError, createClient } from '../../src/index.ts'
import { answer, openWay, startPeer } from '../support/http2-peer.ts'
import { until } from '../support/until.ts'

const calm = constants.NGHTTP2_ENHANCE_YOUR_CALM

test('requests: two resets in a row, and the next request takes a fresh connection', async (context) => {
  const peer = await startPeer(context, (stream, _headers, connection) => {
    if (connection === 1) stream.close(calm)
    else answer(stream, `${connection}`)
  })
  const way = openWay(context, peer.url)
  await assert.rejects(way.get('/a'))
  await assert.rejects(way.get('/b'))
  assert.equal(await way.get('/c'), '2')
  await until(() => way.counters.open === 1, 'the old connection closed')
})

test('requests: an answer between two resets verifies the connection', async (context) => {
  const peer = await startPeer(context, (stream, headers, connection) => {
    if (headers[':path'] === '/bad') stream.close(calm)
    else answer(stream, `${connection}`)
  })
  const way = openWay(context, peer.url)
  for (let round = 0; round < 5; round++) {
    await assert.rejects(way.get('/bad'))
    assert.equal(await way.get('/good'), '1')
  }
})

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  for (const batch of [undefined, false] as const) {
    test(`${transport}, ${batch === false ? 'single requests' : 'sessions'}: retries get to the next connection`, async (context) => {
      const peer = await startPeer(context, (stream, _headers, connection) => {
        if (connection === 1) return stream.close(calm)
        const isGrpc = transport === 'grpc'
        const status = isGrpc ? { ':status': 200, 'grpc-status': '12' } : { ':status': 404 }
        stream.respond({ ...status, 'content-type': isGrpc ? 'application/grpc' : 'text/plain' }, { endStream: true })
      })
      const endpoint = peer.url.replace('http:', transport === 'grpc' ? 'grpc:' : 'http:')
      const client = createClient({ endpoint, transport, batch, retry: { baseMs: 1, maxAttempts: 4 } })
      await assert.rejects(client.getRepository('demo'), (error: BlobwireError) => error.code === 'unimplemented')
      assert.ok(peer.sessions.length <= 3, `${peer.sessions.length} connections`)
      await client.close()
    })
  }
}
