/** A server that answers with a redirect gets no second request, and no other server gets the token. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BlobwireError, createClient } from '../../src/index.ts'
import { startPeer } from '../support/http2-peer.ts'

for (const transport of ['json', 'msgpack', 'grpc'] as const) {
  for (const status of [301, 302, 303, 307, 308]) {
    test(`${transport}: ${status} is an error with its status`, async (context) => {
      const elsewhere = await startPeer(context, (stream) => stream.respond({ ':status': 200 }, { endStream: true }))
      const peer = await startPeer(context, (stream) => {
        stream.respond({ ':status': status, location: `${elsewhere.url}/stolen` })
        stream.end('moved')
      })
      const endpoint = transport === 'grpc' ? peer.url.replace('http', 'grpc') : peer.url
      const client = createClient({ endpoint, transport, token: 'secret', timeoutMs: 3000 })
      context.after(() => client.close())
      const refused = (error: BlobwireError) => {
        assert.deepEqual(
          [error.code, error.reason, error.retryable],
          ['failed_precondition', 'redirect_refused', false]
        )
        assert.match(error.message, new RegExp(`${status}.*the client does not follow redirects`))
        return true
      }
      // One as a request of its own, one on a session.
      await assert.rejects(client.createRepository('demo'), refused)
      await assert.rejects(client.storeBlob('demo', 'x'), refused)
      assert.deepEqual(elsewhere.seen, [])
      assert.equal(peer.seen.length, 2)
    })
  }
}
