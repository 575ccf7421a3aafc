/** Endpoints that speak HTTP/1.1 only: everything works, in unary requests, and it is said why. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClient } from '../../src/index.ts'
import { pem } from '../support/pem.ts'
import { startHttp1ReverseProxy } from '../support/reverse-proxy.ts'
import { atEnd, testServer } from '../support/server.ts'

for (const transport of ['json', 'msgpack'] as const) {
  for (const secure of [false, true]) {
    test(`${transport} through a proxy for HTTP/1.1 ${secure ? 'with' : 'without'} TLS`, async (context) => {
      const fixture = atEnd(context, await testServer())
      const files = secure ? { cert: pem('server.pem'), key: pem('server.key') } : undefined
      const proxy = await startHttp1ReverseProxy(context, fixture.server, files)
      const tls = secure ? { ca: pem('ca.pem') } : {}
      const client = createClient({ endpoint: proxy.url, transport, tls, timeoutMs: 10_000 })
      context.after(() => client.close())
      const missing = client.getBlob('demo', 'f'.repeat(40))
      await assert.rejects(missing, { code: 'not_found', attempts: 1 }, 'looking for a session is no attempt')
      await client.createRepository('demo')
      const contents = Array.from({ length: 500 }, (_, index) => `content ${index}\n`)
      const stored = await Promise.all(contents.map((content) => client.storeBlob('demo', content)))
      const read = await Promise.all(stored.map(({ oid }) => client.getBlob('demo', oid)))
      assert.deepEqual(
        read.map(({ content }) => Buffer.from(content).toString()),
        contents
      )
      const { batching, noSessionReason, sessions } = client.stats()
      assert.deepEqual([batching, noSessionReason, sessions], ['unary', 'not_http2', 1])
      assert.ok(
        proxy.paths.length < 60,
        `${proxy.paths.length} requests for 1,001 calls: they are gathered all the same`
      )
      assert.ok(!proxy.paths.some((path) => path.endsWith('/Session')), 'no stream was begun where none can be')
    })
  }
}
