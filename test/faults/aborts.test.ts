/** An abort at any point: the call ends at once, its neighbours go on, and the call is not sent later. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { Client, ClientOptions } from '../../src/index.ts'
import { blobOid, type FaultyNetwork, failureOf, faultyNetwork, transports } from '../support/faulty-network.ts'
import { settlesAtOnce } from '../support/until.ts'

const ways: [string, Partial<ClientOptions>][] = [
  ['on a session', {}],
  ['as single requests', { batch: false }]
]

interface Stage {
  readonly name: string
  /** Brings the wire to the state in which the call is to be aborted. */
  prepare(network: FaultyNetwork, client: Client): Promise<unknown> | unknown
  readonly content?: Buffer
  /** Until the call is where it should be. */
  reached(network: FaultyNetwork): boolean
}

const large = randomBytes(900_000)
let mark = 0
const stages: Stage[] = [
  {
    name: 'before it has a connection',
    prepare: ({ proxy }) => proxy.partition(),
    reached: () => true
  },
  {
    name: 'while it is sent',
    async prepare({ proxy }, client) {
      await client.storeBlob('demo', 'before')
      proxy.setToServer({ bytesPerSecond: 50_000 })
      mark = proxy.bytesToServer
    },
    content: large,
    reached: ({ proxy }) => proxy.bytesToServer > mark + 5000
  },
  {
    name: 'while it waits for its answer',
    async prepare({ proxy }, client) {
      await client.storeBlob('demo', 'before')
      proxy.setToClient({ blackHole: true })
      mark = proxy.bytesToServer
    },
    reached: ({ proxy }) => proxy.bytesToServer > mark
  }
]

const turn = () => new Promise((resolve) => setImmediate(resolve))

for (const transport of transports) {
  for (const [way, options] of ways) {
    for (const { name, prepare, content = Buffer.from('x'), reached } of stages) {
      test(`${transport}, ${way}: an abort ${name}`, async (context) => {
        const network = await faultyNetwork(context, transport)
        const client = network.client(options)
        await prepare(network, client)
        const controller = new AbortController()
        const failure = failureOf(client.storeBlob('demo', content, { signal: controller.signal }))
        await turn()
        while (!reached(network)) await turn()
        const reason = new Error('no more')
        controller.abort(reason)
        const { error } = await settlesAtOnce(failure)
        assert.deepEqual([error.code, error.retryable, error.cause], ['cancelled', false, reason])
        network.proxy.set({ blackHole: false, bytesPerSecond: Number.POSITIVE_INFINITY })
        assert.equal((await client.storeBlob('demo', 'after')).oid, blobOid('after'))
      })
    }

    test(`${transport}, ${way}: an abort while the answer comes`, async (context) => {
      const network = await faultyNetwork(context, transport)
      const client = network.client({ gzip: false, ...options })
      const { oid } = await client.storeBlob('demo', large)
      network.proxy.setToClient({ bytesPerSecond: 50_000 })
      const before = network.proxy.bytesToClient
      const controller = new AbortController()
      const failure = failureOf(client.getBlob('demo', oid, { signal: controller.signal }))
      while (network.proxy.bytesToClient < before + 5000) await turn()
      controller.abort()
      const { error } = await settlesAtOnce(failure)
      assert.equal(error.code, 'cancelled')
      network.proxy.setToClient({ bytesPerSecond: Number.POSITIVE_INFINITY })
      assert.equal((await client.storeBlob('demo', 'after')).oid, blobOid('after'))
    })

    test(`${transport}, ${way}: a call aborted before its start, or before its connection, never reaches the server`, async (context) => {
      let stored = 0
      class CountingStore extends MemoryStore {
        override putObjects(...parameters: Parameters<MemoryStore['putObjects']>) {
          stored++
          return super.putObjects(...parameters)
        }
      }
      const network = await faultyNetwork(context, transport, { store: new CountingStore() })
      const client = network.client(options)
      const { error } = await failureOf(client.storeBlob('demo', 'never', { signal: AbortSignal.abort() }))
      assert.deepEqual([error.code, error.sent, error.attempts], ['cancelled', 'never', 0])
      network.proxy.refuse()
      const controller = new AbortController()
      const failure = failureOf(client.storeBlob('demo', 'never', { signal: controller.signal }))
      controller.abort()
      assert.equal((await failure).error.code, 'cancelled')
      await network.proxy.accept()
      // A later call on the same connection has been carried out, so an earlier one would have been, too.
      while ((await client.storeBlob('demo', 'after').catch(() => undefined)) === undefined) await turn()
      assert.equal(stored, 1)
    })
  }
}
