/** Ports for servers that go away and come back: no other test gets them meanwhile, because no system gives them away. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Below the ports that Linux (32768) and others (49152) choose from for port 0. */
const first = 20_000
const count = 12_000

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const taken = once(server, 'error').then(() => false)
  const free = once(server, 'listening').then(() => (server.address() as AddressInfo).port === port)
  const found = await Promise.race([taken, free])
  await new Promise((resolve) => server.close(resolve))
  return found
}

async function ownPort(): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * count)
    if (await isFree(port)) return port
  }
}

/** The ports of one server, as its options. */
export async function ownPorts(): Promise<{ httpPort: number; grpcPort: number }> {
  const httpPort = await ownPort()
  for (;;) {
    const grpcPort = await ownPort()
    if (grpcPort !== httpPort) return { httpPort, grpcPort }
  }
}
