import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { BlobwireError, type Client, type ClientOptions, createClient } from '../../src/index.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy/tcp-proxy.ts'
import { pem } from './pem.ts'
import { testServer } from './server.ts'

/** All three, for tests that hold for each. */
export const transports = ['json', 'msgpack', 'grpc'] as const

/** A client, a fixture and the proxy between them. */
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
  const tls = options.tls ? { ca: pem('ca.pem') } : {}
  await fixture.client({ tls }).createRepository('demo')
  const origin = transport === 'grpc' ? fixture.server.grpc : fixture.server.http
  const proxy = await startTcpProxy(origin)
  context.after(async () => {
    // The proxy first: the server would wait for connections that clients have closed and that the proxy still holds.
    await proxy[Symbol.asyncDispose]()
    await fixture[Symbol.asyncDispose]()
  })
  const scheme = transport === 'grpc' ? 'grpc' : 'http'
  const endpoint = `${scheme}${options.tls ? 's' : ''}://127.0.0.1:${proxy.port}`
  const common = { endpoint, transport, tls, timeoutMs: 5000, retry: false, breaker: false } as const
  return {
    proxy,
    // These tests are about the outcome of one attempt.
    client: (more) => fixture.keep(createClient({ ...common, ...more }))
  }
}

/** The oid of a blob, computed apart from the client's own code. */
export function blobOid(content: string | Uint8Array): string {
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0`)
    .update(content)
    .digest('hex')
}

/** The error a call failed with, and the time until then, which counts from the call where it is given as a function. @throws where the call did not fail, or with anything untyped */
export async function failureOf(
  call: Promise<unknown> | (() => Promise<unknown>)
): Promise<{ error: BlobwireError; tookMs: number }> {
  const began = performance.now()
  const error = await (typeof call === 'function' ? call() : call).then(
    () => assert.fail('the call succeeded'),
    (reason: unknown) => reason
  )
  const tookMs = performance.now() - began
  assert.ok(error instanceof BlobwireError, String((error as Error).stack))
  return { error, tookMs }
}
