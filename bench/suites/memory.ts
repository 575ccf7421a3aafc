/** The suite of memory allocated for a call. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Contender, Suite } from '../measure/scenario.ts'

const run = promisify(execFile)
const child = fileURLToPath(new URL('memory-child.ts', import.meta.url))

function allocating(name: string, contender: string, calls: number): Contender {
  return {
    name,
    open: async () => ({
      close: async () => undefined,
      async run() {
        const { stdout } = await run(process.execPath, [child, contender, String(calls)])
        const bytes = Number(stdout)
        if (!(bytes > 0)) throw new Error('v8 does not count allocated bytes: that needs Node 26')
        return bytes
      }
    })
  }
}

/** V8's own counter (`total_allocated_bytes`), in a process that is only the client. */
export const memory: Suite = {
  name: 'memory',
  about: 'Bytes that the client allocates on the heap for one storeBlob of 50 B, concurrency 100.',
  scenarios: ({ quick }) => [
    {
      suite: 'memory',
      name: 'heap allocated in the client for a storeBlob of 50 B, concurrency 100',
      unit: 'bytes/call',
      better: 'less',
      baseline: 'grpc-js unary',
      contenders: [
        allocating('blobwire, MessagePack', 'msgpack', quick ? 20_000 : 100_000),
        allocating('blobwire, gRPC', 'grpc', quick ? 20_000 : 100_000),
        allocating('blobwire, JSON', 'json', quick ? 20_000 : 100_000),
        allocating('undici JSON', 'undici', 5000),
        allocating('grpc-js unary', 'grpc-js', 5000)
      ]
    }
  ]
}
