/** Writers of blobs that remember what was acknowledged, so that a test can say what was lost. */
import { createHash } from 'node:crypto'
import { untilAsync } from './until-async.ts'

/** A blob that only this number has. */
export function numberedBlob(number: number) {
  const content = Buffer.from(`blob ${number} of a writer that remembers it`)
  const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
  return { oid, kind: 'blob', content } as const
}

type Put = (blob: ReturnType<typeof numberedBlob>) => Promise<unknown>

/** Writes until it is stopped. A writer whose call fails goes no further. */
export function startBlobWriters(count: number, put: Put) {
  const acknowledged: string[] = []
  const failures: unknown[] = []
  let next = 0
  let longestGapMs = 0
  let last = performance.now()
  let isStopped = false
  const write = async () => {
    while (!isStopped) {
      const blob = numberedBlob(next++)
      try {
        await put(blob)
        acknowledged.push(blob.oid)
        longestGapMs = Math.max(longestGapMs, performance.now() - last)
        last = performance.now()
      } catch (error) {
        failures.push(error)
        return
      }
    }
  }
  const writers = Array.from({ length: count }, write)
  return {
    /** Oids, in the order of their answers. */
    acknowledged,
    failures,
    longestGapMs: () => longestGapMs,
    /** Resolves when so many more are acknowledged. @throws the failure of a call */
    async more(many: number) {
      const enough = acknowledged.length + many
      // A busy machine may need long for all of them.
      while (acknowledged.length < enough) {
        const before = acknowledged.length
        await untilAsync(async () => {
          if (failures.length > 0) throw failures[0]
          return acknowledged.length > before
        }, `more than ${before} blobs are acknowledged`)
      }
    },
    async stop() {
      isStopped = true
      await Promise.all(writers)
    }
  }
}
