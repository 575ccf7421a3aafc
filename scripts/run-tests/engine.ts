/** One database engine for all tests of a run, started for the first that asks. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Engine } from '../../server-fixture/store/postgres/embedded/engine.ts'

/** Tests find the port here at which they are told the engine's URL. */
export const engineOfRun = 'BLOBWIRE_ENGINE_PORT'

/** Tells the URL to who connects to the port. */
export async function offerEngine(start: () => Promise<Engine>): Promise<{ port: number; close(): Promise<void> }> {
  let engine: Promise<Engine> | undefined
  const server = createServer(async (socket) => {
    socket.on('error', () => undefined)
    engine ??= start()
    engine.then(
      ({ url }) => socket.end(url),
      (error) => {
        console.error(error)
        socket.destroy()
      }
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close()
      await (await engine?.catch(() => undefined))?.stop()
    }
  }
}
