/** Small reads beside a giant download, on one client. */
import { blobOid } from '../../src/index.ts'
import { openBlobwire } from '../contenders/blobwire.ts'
import { contentChunks, contentOid } from '../contenders/stream-content.ts'
import type { Contender, Scenario } from '../measure/scenario.ts'

const reads = 1000
const atOnce = 100
const giantBytes = 256 * 1024 * 1024

/** The 99th percentile of the time for one of the reads, of which `atOnce` are under way. */
async function slowest(read: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  let left = reads
  const caller = async () => {
    while (left-- > 0) {
      const start = performance.now()
      await read()
      times.push(performance.now() - start)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number
}

function reading(name: string, transport: 'msgpack' | 'json' | 'grpc', isBeside: boolean): Contender {
  return {
    name,
    async open() {
      const { repository, close } = await openBlobwire(transport)
      await repository.storeBlob('small')
      const size = giantBytes
      await repository.upload(
        async function* () {
          yield* contentChunks(size, 256 * 1024)
        },
        { size }
      )
      let ending = false
      let downloads = 0
      const downloading = (async () => {
        while (isBeside && !ending) {
          for await (const _ of repository.download(contentOid(size))) if (ending) return
          downloads++
        }
      })()
      const oid = blobOid('small')
      return {
        async run(durationMs) {
          const start = performance.now()
          const found: number[] = []
          do found.push(await slowest(() => repository.getBlob(oid)))
          while (performance.now() < start + durationMs)
          return found.sort((a, b) => a - b)[found.length >> 1] as number
        },
        facts: () => ({ 'downloads meanwhile': downloads }),
        async close() {
          ending = true
          await downloading
          await close()
        }
      }
    }
  }
}

/** p99 alone, and while the same client downloads one giant blob after the other. */
export function beside(transport: 'msgpack' | 'json' | 'grpc'): Scenario {
  return {
    suite: 'streams',
    name: `p99 of getBlob of 5 B, ${atOnce} callers, beside a giant download, ${transport}`,
    unit: 'ms',
    better: 'less',
    baseline: 'alone',
    contenders: [reading('alone', transport, false), reading('beside', transport, true)]
  }
}
