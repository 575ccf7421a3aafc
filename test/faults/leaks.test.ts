/** After many calls, aborts and GOAWAYs nothing is left of them, and the process ends by itself. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { startNode } from '../support/child.ts'
import { transports } from '../support/faulty-network.ts'
import type { Leftovers } from '../support/leak-child.ts'
import { atEnd, testServer } from '../support/server.ts'

const file = fileURLToPath(new URL('../support/leak-child.ts', import.meta.url))

for (const transport of transports) {
  test(`${transport}: 20,000 calls, 2,000 aborts, 100 GOAWAYs, close(): nothing is left`, async (context) => {
    const faults = new Faults()
    const fixture = atEnd(context, await testServer({ faults }))
    faults.add({ rpc: 'GetRepository', fault: { kind: 'goaway', steps: 2 } })
    const { http, grpc } = fixture.server
    const endpoint = transport === 'grpc' ? grpc.replace('http', 'grpc') : http
    const child = startNode('--expose-gc', file, endpoint, transport)
    context.after(() => child.kill())
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 0, 'the process ends by itself')
    const { resources, listeners, grownBytes, aborted, failures } = JSON.parse(output) as Leftovers
    assert.deepEqual(failures, [])
    assert.deepEqual(resources, [])
    assert.equal(listeners, 0)
    assert.ok(aborted > 900, `${aborted} of 2,000 were aborted in time`)
    // More where a call was sent again after one.
    assert.ok(faults.fired('goaway') >= 100)
    assert.ok(grownBytes < 2 * 1024 * 1024, `the heap has grown by ${grownBytes} bytes`)
  })
}
