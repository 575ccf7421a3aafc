/** The process of the leak test: makes calls, aborts and GOAWAYs, then reports all that is left of them. Needs --expose-gc. */
import { getEventListeners } from 'node:events'
import { createClient } from '../../src/index.ts'

/** The state of the process after `close()`. */
export interface Leftovers {
  /** Resources that keep the process alive and were not there before. */
  readonly resources: string[]
  readonly listeners: number
  /** Bytes of heap from the end of the first round to that of the last. */
  readonly grownBytes: number
  readonly aborted: number
  readonly failures: string[]
}

const [endpoint = '', transport = 'json'] = process.argv.slice(2)
const before = process.getActiveResourcesInfo()
const client = createClient({ endpoint, transport: transport as 'json' | 'msgpack' | 'grpc' })
await client.createRepository('demo')
const { signal } = new AbortController()
const failures = new Set<string>()
let aborted = 0

async function calls(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 500) {
    const ends = Array.from({ length: 500 }, (_, index) => client.storeBlob('demo', `${index}`, { signal }))
    for (const end of await Promise.allSettled(ends)) if (end.status === 'rejected') failures.add(`${end.reason}`)
  }
}

async function aborts(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 100) {
    const controllers = Array.from({ length: 100 }, () => new AbortController())
    const ends = controllers.map((controller) => client.storeBlob('demo', 'aborted', { signal: controller.signal }))
    await Promise.resolve()
    controllers.forEach((controller, index) => {
      if (index % 2) controller.abort()
      else setImmediate(() => controller.abort())
    })
    for (const end of await Promise.allSettled(ends)) if (end.status === 'rejected') aborted++
  }
}

/** The server answers each of these with a GOAWAY. */
async function goaways(count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    await client.getRepository('demo').catch((error) => failures.add(`${error}`))
  }
}

async function round(): Promise<number> {
  await calls(5000)
  await aborts(500)
  await goaways(25)
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}

await round()
const first = await round()
await round()
const grownBytes = (await round()) - first
await client.close()
// Node releases a closed socket in a later turn of the event loop.
for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
const resources = process.getActiveResourcesInfo().filter((name) => name !== 'Immediate')
for (const name of before) {
  const place = resources.indexOf(name)
  if (place >= 0) resources.splice(place, 1)
}
const leftovers: Leftovers = {
  resources,
  listeners: getEventListeners(signal, 'abort').length,
  grownBytes,
  aborted,
  failures: [...failures]
}
console.log(JSON.stringify(leftovers))
// Fires only where something else keeps the process alive.
setTimeout(() => process.exit(9), 1000).unref()
