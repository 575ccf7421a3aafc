/** Sessions that end after a damaged message release their streams: the next sessions find room. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { transports } from '../support/faulty-network.ts'
import { atEnd, testServer } from '../support/server.ts'

for (const transport of transports) {
  test(`${transport}: ten damaged sessions on a connection for two streams`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    const client = fixture.client({ transport, timeoutMs: 3000, retry: false, breaker: false })
    faults.add({ rpc: '*', count: 1, fault: { kind: 'stream_limit', streams: 2 } })
    await client.createRepository('demo')
    for (let round = 0; round < 10; round++) {
      faults.add({ rpc: '*', count: 1, fault: { kind: 'bad_gzip' } })
      await assert.rejects(client.storeBlob('demo', `damaged ${round}`), { reason: 'malformed_response' })
      assert.equal((await client.storeBlob('demo', `sound ${round}`)).size, `sound ${round}`.length)
    }
  })
}
