/**
 * The case table: every RPC over {transport} x {session, unary} x {store} x {object format}, half of them with gzip, so that
 * any three of these come together in each way; all must leave the same oids.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type TestServer, testServer } from '../support/server.ts'
import { everyRpc, type Outcome } from './every-rpc.ts'

const outcomes = new Map<string, Outcome>()

for (const store of ['memory', 'git'] as const) {
  describe(`store ${store}`, () => {
    let fixture: TestServer
    before(async () => {
      fixture = await testServer({ store })
    })
    after(() => fixture[Symbol.asyncDispose]())

    for (const format of ['sha1', 'sha256'] as const) {
      for (const transport of ['json', 'msgpack', 'grpc'] as const) {
        for (const way of ['session', 'off'] as const) {
          const gzip = (store === 'git') === ((format === 'sha1') === (way === 'session'))
          test(`${transport}, ${way === 'off' ? 'unary' : way}, ${gzip ? 'gzip' : 'plain'}, ${format}`, async () => {
            const client = fixture.client({ transport, gzip, ...(way === 'off' ? { batch: false } : {}) })
            const outcome = await everyRpc(client, `every/${format}-${transport}-${way}-${gzip}`, format)
            const first = outcomes.get(format) ?? outcome
            outcomes.set(format, first)
            assert.deepEqual(outcome, first)
            const { transport: used, batching, sessions } = client.stats()
            assert.deepEqual([used, batching, sessions], [transport, way, way === 'off' ? 0 : 1])
          })
        }
      }
    }
  })
}
