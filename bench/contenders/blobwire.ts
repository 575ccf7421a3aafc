/** The contenders of blobwire itself. */
import { startServerProcess } from '../../server-fixture/process.ts'
import { type Client, type ClientOptions, createClient, type Repository } from '../../src/index.ts'
import type { BlobStorer } from '../measure/load.ts'
import type { Facts } from '../measure/scenario.ts'

/** A repository on a server in a process of its own, in the memory store. */
export interface BlobwireBench {
  readonly client: Client
  readonly repository: Repository
  facts(): Facts
  close(): Promise<void>
}

type Transport = 'json' | 'msgpack' | 'grpc'

/** Starts server and client. `through` may start a proxy, whose address the client uses instead of the server's. */
export async function openBlobwire(
  transport: Transport,
  options: Partial<ClientOptions> = {},
  through: (port: number) => Promise<{ port: number; stop(): Promise<void> }> = async (port) => ({
    port,
    stop: async () => undefined
  })
): Promise<BlobwireBench> {
  const server = await startServerProcess()
  const route = await through(Number(transport === 'grpc' ? server.grpc.port : server.http.port))
  const endpoint = `${transport === 'grpc' ? 'grpc' : 'http'}://127.0.0.1:${route.port}`
  const client = createClient({ endpoint, transport, ...options })
  await client.createRepository('bench')
  return {
    client,
    repository: client.repository('bench'),
    facts() {
      const { batching, frames, framedOperations, calls, bytesSent, frameWindow, roundTripMs } = client.stats()
      return {
        transport: client.stats().transport,
        batching,
        'operations a frame': frames ? Math.round(framedOperations / frames) : 1,
        'bytes sent a call': Math.round(bytesSent / calls),
        window: frameWindow,
        'round trip ms': Number((roundTripMs ?? 0).toFixed(3))
      }
    },
    async close() {
      await client.close()
      await route.stop()
      await server.stop()
    }
  }
}

/** Stores each blob with one call; the client verifies every oid. */
export async function blobwire(
  transport: Transport,
  options: Partial<ClientOptions> = {},
  through?: Parameters<typeof openBlobwire>[2]
): Promise<BlobStorer> {
  const { repository, facts, close } = await openBlobwire(transport, options, through)
  return { store: (content) => repository.storeBlob(content), facts, close }
}
