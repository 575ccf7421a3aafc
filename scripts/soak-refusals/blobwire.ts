/** blobwire's own client: batches as requests of their own, and calls on a session. */
import { readFileSync } from 'node:fs'
import { type BlobwireError, createClient, type TransportName } from '../../src/index.ts'
import { bodyBytes, type SoakClient, type Tally, type Target, tallyOf } from './refusals.ts'

const atOnce = 8

/** Refusals of a client that does not repeat them. */
export async function refuseBlobwire(
  { url, ca }: Pick<Target, 'url' | 'ca'>,
  count: number,
  transports: readonly TransportName[] = ['json', 'msgpack']
): Promise<Tally> {
  const tls = /^https:|^grpcs:/.test(url.protocol) ? { tls: { ca: readFileSync(ca, 'utf8') } } : {}
  const clients = transports.map((transport) =>
    createClient({
      endpoint: `${url.protocol}//${url.host}`,
      transport,
      token: 'wrong',
      gzip: false,
      retry: false,
      breaker: false,
      timeoutMs: 30_000,
      ...tls
    })
  )
  const contents = bodyBytes.map((bytes) => new Uint8Array(bytes))
  const answers: (string | undefined)[] = []
  let next = 0
  const work = async () => {
    while (next < count) {
      const index = next++
      const client = clients[index % clients.length] as (typeof clients)[number]
      const content = contents[(index >> 1) % contents.length] as Uint8Array
      // An atomic batch is a request of its own; a single call opens a session.
      const call =
        index % 4 < 3
          ? client.batch('demo', [{ storeBlob: { content } }], { atomic: true })
          : client.storeBlob('demo', content)
      answers[index] = await call.then(
        () => 'not refused',
        (error: BlobwireError) => (error.code === 'unauthenticated' ? undefined : String(error))
      )
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await Promise.all(clients.map((client) => client.close()))
  return tallyOf(answers)
}

export const blobwire: SoakClient = {
  name: 'blobwire',
  weight: 4,
  wires: ['h2c', 'TLS'],
  missing: undefined,
  refuse: (target, count) => refuseBlobwire(target, count)
}

export const blobwireGrpc: SoakClient = {
  name: 'blobwire, gRPC',
  weight: 4,
  wires: ['h2c', 'TLS'],
  missing: undefined,
  refuse: ({ grpc, ca }, count) =>
    refuseBlobwire({ url: new URL(grpc.href.replace(/^http/, 'grpc')), ca }, count, ['grpc'])
}
