/** The contender of blobwire's batches and transport without the layers above. */
import { startServerProcess } from '../../server-fixture/process.ts'
import type { Call, Cancellable, Sink } from '../../src/call/call.ts'
import { CallInvoker } from '../../src/client/call-invoker.ts'
import { resolveOptions } from '../../src/client/options.ts'
import { prepare } from '../../src/client/to-request.ts'
import { verifierOf } from '../../src/client/verify/answers.ts'
import { methods } from '../../src/schema/methods.ts'
import type { BlobStorer } from '../measure/load.ts'

const defaults = { objectFormat: 'sha1' } as Parameters<typeof prepare>[2]
const endless = new AbortController().signal

/** A call without deadline, bulkhead, retry, breaker and counters. */
class BareCall implements Call, Sink {
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

  onCancel(_listener: Cancellable): void {}

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

const verify = verifierOf('storeBlob', true)

/** Stores blobs through batches and transport alone. */
export async function bareTransport(): Promise<BlobStorer> {
  const server = await startServerProcess()
  const invoker = new CallInvoker(resolveOptions({ endpoint: server.http.origin, transport: 'msgpack' }))
  await invoker.invoke(methods.createRepository, { repository: 'bench' })
  const [channel] = invoker.pipeline.channels()
  if (channel === undefined) throw new Error('no endpoint channel')
  const { headers } = invoker.options
  return {
    store(content) {
      const request = { repository: 'bench', ...prepare('storeBlob', { content }, defaults) }
      const call = new BareCall(request, headers)
      channel.submit(call, call)
      return call.outcome.promise
    },
    async close() {
      await invoker.close()
      await server.stop()
    }
  }
}
