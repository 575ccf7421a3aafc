/** The suite of explicit batches. */
import { openBlobwire } from '../contenders/blobwire.ts'
import { contents } from '../measure/load.ts'
import type { Contender, Scenario, Suite } from '../measure/scenario.ts'

function batching(name: string, size: number, transport: 'json' | 'msgpack' | 'grpc'): Contender {
  return {
    name,
    async open() {
      const { repository, facts, close } = await openBlobwire(transport)
      const content = contents(50)
      return {
        facts,
        close,
        async run(durationMs) {
          const start = performance.now()
          let operations = 0
          while (performance.now() < start + durationMs) {
            const batch = Array.from({ length: size }, () => ({ storeBlob: { content: content() } }))
            for (const { ok, error } of await repository.batch(batch)) if (!ok) throw error
            operations += size
          }
          return ((performance.now() - start) * 1000) / operations
        }
      }
    }
  }
}

function scenario(size: number): Scenario {
  return {
    suite: 'batches',
    name: `batch of ${size} blobs of 50 B, one batch after the other`,
    unit: 'us/operation',
    better: 'less',
    baseline: 'blobwire, JSON',
    contenders: [
      batching('blobwire, MessagePack', size, 'msgpack'),
      batching('blobwire, gRPC', size, 'grpc'),
      batching('blobwire, JSON', size, 'json')
    ]
  }
}

/** Explicit batches, one caller. */
export const batches: Suite = {
  name: 'batches',
  about: 'client.batch with 1 to 1,000 operations, one batch after the other.',
  scenarios: () => [1, 10, 100, 1000].map(scenario)
}
