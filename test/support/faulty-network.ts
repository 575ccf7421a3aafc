import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { BlobwireError, type Client, type ClientOptions, createClient } from '../../src/index.ts'
import { testServer } from './server.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

/** All three, for tests that hold for each. */
export const transports = ['json', 'msgpack', 'grpc'] as const

/** A client, a fixture and the wire between them. */
export interface FaultyNetwork {
  readonly proxy: TcpProxy
  client(options?: Partial<ClientOptions>): Client
}

/** Starts all of it for one test; the repository `demo` is there. */
export async function faultyNetwork(
  context: TestContext,
  transport: (typeof transports)[number],
  options: Partial<ServerOptions> = {}
): Promise<FaultyNetwork> {
  const fixture = await testServer(options)
  await fixture.client().createRepository('demo')
  const isGrpc = transport === 'grpc'
  const proxy = await startTcpProxy(new URL(isGrpc ? fixture.server.grpc : fixture.server.http).host)
  context.after(async () => {
    // Whoever closes a connection altogether resets it for what still comes; through a proxy the server would wait for that.
    await proxy[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  const endpoint = `${isGrpc ? 'grpc' : 'http'}://127.0.0.1:${proxy.port}`
  return {
    proxy,
    // What one attempt comes to is what these tests are about.
    client: (more) => {
      return fixture.keep(createClient({ endpoint, transport, timeoutMs: 5000, retry: false, breaker: false, ...more }))
    }
  }
}

/** The oid of a blob, computed apart from the client's own code. */
export function blobOid(content: string | Uint8Array): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0`)
    .update(content)
    .digest('hex')
}

/** What a call failed with, and how long it took. @throws where it did not fail, or with anything untyped */
export async function failureOf(call: Promise<unknown>): Promise<{ error: BlobwireError; tookMs: number }> {
  const began = performance.now()
  const error = await call.then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason
  )
  const tookMs = performance.now() - began
  assert.ok(error instanceof BlobwireError, String((error as Error).stack))
  return { error, tookMs }
}
