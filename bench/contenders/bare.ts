import { startServerProcess } from '../../server-fixture/process.ts'
import { Caller } from '../../src/client/caller.ts'
import { prepare } from '../../src/client/operations.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { verifierOf } from '../../src/client/verify.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Call, EndListener, Settle } from '../../src/transport/transport.ts'
import type { BlobStorer } from '../measure/load.ts'

const setting = { objectFormat: 'sha1' } as Parameters<typeof prepare>[2]
const endless = new AbortController().signal

/** A call with nothing around it: no deadline, no limit, no retry, no breaker, no counting. */
class BareCall implements Call, Settle {
  readonly method = methods.storeBlob
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  readonly signal = endless
  readonly outcome = Promise.withResolvers<object>()

  constructor(request: object, headers: Readonly<Record<string, string>>) {
    this.request = request
    this.headers = headers
  }

  remainingMs(): number {
    return 30_000
  }

  whenEnded(_listener: EndListener): void {}

  succeed(response: object): void {
    try {
      verify?.(this.request, response)
      this.outcome.resolve(response)
    } catch (error) {
      this.outcome.reject(error)
    }
  }

  fail(error: unknown): void {
    this.outcome.reject(error)
  }
}

const verify = verifierOf('storeBlob')

/** Stores blobs through batches and transport alone: what the layers above them cost is missing. */
export async function bareTransport(): Promise<BlobStorer> {
  const server = await startServerProcess()
  const caller = new Caller(resolveOptions({ endpoint: server.http.origin, transport: 'msgpack' }))
  await caller.invoke(methods.createRepository, { repository: 'bench' })
  const [lane] = caller.pipeline.lanes()
  if (lane === undefined) throw new Error('no lane')
  const { headers } = caller.options
  return {
    store(content) {
      const request = { repository: 'bench', ...prepare('storeBlob', { content }, setting) }
      const call = new BareCall(request, headers)
      lane.submit(call, call)
      return call.outcome.promise
    },
    async close() {
      await caller.close()
      await server.stop()
    }
  }
}
