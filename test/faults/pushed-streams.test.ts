/** Servers that push streams: the connection is closed, for unary calls and for sessions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { flags, frameBytes, frameTypes, headerBlock, type RawPeer, startRawServer } from '../support/raw-http2.ts'
import { atEnd } from '../support/server.ts'
import { until } from '../support/until.ts'

const request = headerBlock([
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'x'],
  [':path', '/']
])

async function push(peer: RawPeer, stream: number, count: number): Promise<void> {
  for (let index = 1; index <= count && !peer.over; index++) {
    const promised = Buffer.alloc(4)
    promised.writeUInt32BE(2 * index)
    const payload = Buffer.concat([promised, request])
    await peer.write(frameBytes({ type: frameTypes.pushPromise, flags: flags.endHeaders, stream, payload }))
  }
}

for (const transport of ['json', 'msgpack'] as const) {
  for (const way of ['unary', 'session'] as const) {
    for (const acknowledges of [true, false]) {
      for (const count of [1, 2000]) {
        const settings = acknowledges ? 'acknowledged' : 'ignored'
        test(`${transport}, ${way}: ${count} pushed, with SETTINGS ${settings}`, async (context) => {
          const server = atEnd(context, await startRawServer({ acknowledges }))
          server.attack = (peer, stream) => push(peer, stream, count)
          const client = createClient({
            endpoint: `http://127.0.0.1:${server.port}`,
            transport,
            retry: false,
            breaker: false,
            timeoutMs: 10_000,
            connection: { connectTimeoutMs: 200 }
          })
          context.after(() => client.close())
          const call = way === 'unary' ? client.createRepository('demo') : client.storeBlob('demo', 'x')
          const settled = call.then(
            () => assert.fail('answered'),
            (error) => error
          )
          await until(() => server.requests > 0, 'the request is there')
          await until(() => server.open === 0, 'the connection is closed')
          const { code } = await settled
          assert.equal(code, 'unavailable')
        })
      }
    }
  }
}
