/** The load of concurrent callers that store blobs. */
import { randomFillSync } from 'node:crypto'
import { hashObject } from '../../src/git/oid.ts'
import type { Contender, Facts, Runner } from './scenario.ts'

/** Stores blobs, and checks each answer. */
export interface BlobStorer {
  store(content: Uint8Array): Promise<unknown>
  facts?(): Facts
  close(): Promise<void>
}

/** Contents of this size and more are not copied for each call. */
const ringBytes = 64 * 1024
/** Number of contents that are reused in turn; many more than callers. */
const ringContents = 64

/**
 * Contents that recur, so that the store does not grow: with large contents, the machine's first allocation of memory
 * would take longer than everything that is to be measured.
 */
export function recurringContents(size: number): () => Uint8Array {
  const content = contents(size, 'random')
  const all = Array.from({ length: ringContents }, () => Buffer.from(content()))
  let next = 0
  return () => all[next++ % ringContents] as Uint8Array
}

/** Contents that differ in their first bytes. */
export function contents(size: number, fill: 'text' | 'random' = 'text'): () => Uint8Array {
  const base = Buffer.alloc(size, 'All work and no play makes Jack a dull boy. ')
  if (fill === 'random') randomFillSync(base)
  // Different clients of one run store different contents.
  let next = Math.floor(Math.random() * 2 ** 40)
  // Large contents are reused: copying them would take most of the measured time.
  const ring = size < ringBytes ? undefined : Array.from({ length: ringContents }, () => Buffer.from(base))
  return () => {
    const content = ring?.[next % ring.length] ?? Buffer.from(base)
    content.writeUIntBE(next++, 0, 6)
    return content
  }
}

/** @throws Error unless it is the oid of the content */
export function checkOid(oid: string, content: Uint8Array): void {
  if (hashObject('blob', content, 'sha1') !== oid) throw new Error(`${oid} is not the oid of what was stored`)
}

/** Calls from concurrent callers, each of which waits for its answer before the next call. */
export interface Load {
  readonly concurrency: number
  readonly content: () => Uint8Array
  /** Calls a second, or microseconds a call. */
  readonly unit: 'calls/s' | 'us'
}

/** A contender that runs the load against a blob storer. */
export function loaded(name: string, load: Load, open: () => Promise<BlobStorer>): Contender {
  return {
    name,
    async open(): Promise<Runner> {
      const storer = await open()
      return {
        run: (durationMs) => drive(storer, load, durationMs),
        facts: () => storer.facts?.() ?? {},
        close: () => storer.close()
      }
    }
  }
}

async function drive(storer: BlobStorer, { concurrency, content, unit }: Load, durationMs: number): Promise<number> {
  const start = performance.now()
  const end = start + durationMs
  let calls = 0
  const worker = async () => {
    while (performance.now() < end) {
      await storer.store(content())
      calls++
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const seconds = (performance.now() - start) / 1000
  return unit === 'us' ? (seconds * 1e6) / calls : calls / seconds
}
