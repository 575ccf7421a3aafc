/** A process ends when none of its calls is under way, and never before, although no client is closed. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { Faults } from '../../server-fixture/faults/faults.ts'
import { runNode } from '../support/child.ts'
import { transports } from '../support/faulty-network.ts'
import { fullBacklogPort } from '../support/full-backlog.ts'
import type { Departure, LeavingServers } from '../support/leaving-child.ts'
import { pem } from '../support/pem.ts'
import { frameBytes, frameTypes } from '../support/raw-http2.ts'
import { startHttp1ReverseProxy } from '../support/reverse-proxy.ts'
import { atEnd, testServer } from '../support/server.ts'
import { listen } from '../support/tcp-server.ts'
import { startTunnelProxy } from '../support/tunnel-proxy.ts'

type Transport = (typeof transports)[number]

const child = new URL('../support/leaving-child.ts', import.meta.url).pathname

/** SETTINGS with the largest windows, and the acknowledgement of the client's. */
const greeting = Buffer.concat([
  frameBytes({ type: frameTypes.settings, payload: Buffer.of(0, 4, 0x7f, 0xff, 0xff, 0xff) }),
  frameBytes({ type: frameTypes.windowUpdate, payload: Buffer.of(0x7f, 0xff, 0, 0) }),
  frameBytes({ type: frameTypes.settings, flags: 1 })
])

async function startServers(context: TestContext, transport: Transport): Promise<LeavingServers> {
  const faults = new Faults()
  const certificate = { cert: pem('server.pem'), key: pem('server.key') }
  const tls = { ...certificate }
  const plain = atEnd(context, await testServer({ faults }))
  const secure = atEnd(context, await testServer({ faults, tls }))
  await plain.client().createRepository('demo')
  faults.add({ rpc: 'GetBlob', fault: { kind: 'delay', ms: 80 } })
  faults.add({ rpc: 'StoreTree', fault: { kind: 'status', code: 'unavailable' }, count: 2 })
  const scheme = transport === 'grpc' ? 'grpc' : 'http'
  const at = (port: number | string) => `${scheme}://127.0.0.1:${port}`
  const own = ({ server }: typeof plain) => (transport === 'grpc' ? server.grpc : server.http)
  const silent = await listen(context, () => undefined)
  return {
    // By name, so that name servers are asked, too.
    plain: `${scheme}://localhost:${new URL(own(plain)).port}`,
    tls: own(secure).replace('http', scheme),
    http1: (await startHttp1ReverseProxy(context, plain.server)).url,
    refused: at(1),
    backlog: at(await fullBacklogPort(context)),
    silent: at(silent),
    mute: at(await listen(context, (socket) => socket.resume().write(greeting))),
    blocked: at(await listen(context, (socket) => socket.pause().write(greeting))),
    proxy: `http://127.0.0.1:${(await startTunnelProxy(context)).port}`,
    silentProxy: `http://127.0.0.1:${silent}`
  }
}

suite('a process ends after its last call, and not before', { concurrency: true }, () => {
  for (const transport of transports) {
    test(transport, async (context) => {
      const servers = JSON.stringify(await startServers(context, transport))
      const { stdout } = await runNode(child, transport, servers, pem('ca.pem').toString())
      const departures = JSON.parse(stdout) as Departure[]
      const early = departures.filter(({ outcome }) => outcome === undefined)
      assert.deepEqual(early, [], 'the process would have ended before the call')
      // 20 ticks are half a second of the process's own time.
      const late = departures.filter(({ ticks }) => ticks >= 20)
      assert.deepEqual(late, [], 'the process lived on')
    })
  }
})
