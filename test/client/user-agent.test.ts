/** The name of the client in its requests, over every transport. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createClient } from '../../src/index.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

/** A server that refuses every request and keeps its user agent, by the last part of its path. */
async function refusing(context: TestContext) {
  const seen = new Map<string, string | undefined>()
  const server = createServer((request, response) => {
    seen.set(request.url.split('/').at(-1) as string, request.headers['user-agent'])
    response.stream.respond({ ':status': 503 })
    response.stream.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, seen }
}

test('the application comes before the client, on every request, session and transfer', async (context) => {
  for (const [userAgent, expected] of [
    ['shop/1.2 (eu)', new RegExp(`^shop/1\\.2 \\(eu\\) blobwire/${version}( grpc-node-js/\\S+)?$`)],
    [undefined, new RegExp(`^blobwire/${version}( grpc-node-js/\\S+)?$`)]
  ] as const) {
    for (const transport of ['json', 'msgpack', 'grpc'] as const) {
      const { port, seen } = await refusing(context)
      const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${port}`
      const client = createClient({ endpoint, transport, userAgent, retry: false })
      context.after(() => client.close())
      await assert.rejects(client.createRepository('demo'))
      await assert.rejects(client.storeBlob('demo', 'x'))
      await assert.rejects(client.download('demo', 'a'.repeat(40)).bytes())
      assert.ok(seen.size >= 3 && seen.has('Session'), [...seen.keys()].join())
      for (const [path, name] of seen) assert.match(name ?? path, expected)
    }
  }
})

test('the question for the address of gRPC names the client, too', async (context) => {
  const { port, seen } = await refusing(context)
  const client = createClient({
    endpoint: `http://127.0.0.1:${port}`,
    transport: 'grpc',
    userAgent: 'shop',
    retry: false
  })
  context.after(() => client.close())
  await assert.rejects(client.storeBlob('demo', 'x'))
  assert.equal(seen.get('GetCapabilities'), `shop blobwire/${version}`)
})

test('a user agent is printable ASCII', () => {
  for (const userAgent of ['', ' shop', 'shop\n', 'Läden']) {
    assert.throws(
      () => createClient({ endpoint: 'http://127.0.0.1:1', userAgent }),
      /^BlobwireError: userAgent: must be/
    )
  }
})
