/** The suite of the cost of connections. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startServerProcess } from '../../server-fixture/process.ts'
import { createClient } from '../../src/index.ts'
import { contents, loaded } from '../measure/load.ts'
import type { Scenario, Suite } from '../measure/scenario.ts'

const pem = (name: string) => fileURLToPath(new URL(`../../test/support/tls/${name}`, import.meta.url))

async function open(secure: boolean, reuse: boolean) {
  const flags = secure ? ['--tls-cert', pem('server.pem'), '--tls-key', pem('server.key')] : []
  const server = await startServerProcess(...flags)
  const options = {
    endpoint: server.http.origin,
    ...(secure ? { tls: { ca: readFileSync(pem('ca.pem')) } } : {})
  }
  const client = createClient(options)
  await client.createRepository('bench')
  return {
    async store(content: Uint8Array) {
      if (reuse) return client.storeBlob('bench', content)
      const fresh = createClient(options)
      const stored = await fresh.storeBlob('bench', content)
      await fresh.close()
      return stored
    },
    async close() {
      await client.close()
      await server.stop()
    }
  }
}

function scenario(secure: boolean): Scenario {
  const load = { concurrency: 1, content: contents(50), unit: 'us' } as const
  return {
    suite: 'connections',
    name: `storeBlob of 50 B, one after the other, ${secure ? 'TLS' : 'h2c'}`,
    unit: 'us',
    better: 'less',
    baseline: 'a new connection for each call',
    contenders: [
      loaded('one connection', load, () => open(secure, true)),
      loaded('a new connection for each call', load, () => open(secure, false))
    ]
  }
}

/** The cost of a connection. */
export const connections: Suite = {
  name: 'connections',
  about: 'One connection for all calls, or a client and a connection for each.',
  scenarios: () => [scenario(false), scenario(true)]
}
