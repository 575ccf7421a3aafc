/** A server for which a blob of some hundred kilobytes is large, with one in it. */
import type { TestContext } from 'node:test'
import type { ServerOptions } from '../../server-fixture/server.ts'
import { blobOid } from '../../src/index.ts'
import { randomNumbers } from './random.ts'
import { atEnd, type TestServer, testServer } from './server.ts'

/** `maxInlineBytes` and `chunkBytes` of the server. */
export const smallLimits = { maxInlineBytes: 64 * 1024, chunkBytes: 16 * 1024 }

/** Bytes that nothing compresses, always the same. */
export function largeContent(length: number = 500_000, seed: number = 1): Uint8Array {
  const random = randomNumbers(seed)
  return Uint8Array.from({ length }, () => random(256))
}

/** The server; its repository is `demo`. */
export async function largeServer(context: TestContext, options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const server = atEnd(context, await testServer({ limits: smallLimits, ...options }))
  await server.client().createRepository('demo')
  return server
}

/** Stores a blob of any size, over HTTP, as any client may. */
export async function storeLarge({ server }: TestServer, body: Uint8Array): Promise<string> {
  const headers = { 'upload-complete': '?1' }
  const url = `${server.http}/v1/repositories/demo/uploads`
  const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
  await response.arrayBuffer()
  return blobOid(body)
}
