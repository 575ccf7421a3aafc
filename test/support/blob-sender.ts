/** A server of one blob below the client's pipeline, which sends it as the test says: whole, cut, or wrong. */
import { createHash } from 'node:crypto'
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject } from '../../src/git/oid.ts'
import { BlobDownload, type DownloadRequest } from '../../src/transfer/download.ts'
import type { DownloadAttempt, IncomingBlob } from '../../src/transport/transfer.ts'
import type { FakeClock } from './fake-clock.ts'
import { pipelineHarness } from './pipeline-harness.ts'

/** One attempt's answer, as far as it differs from a true one. */
export interface Sending {
  /** Told in place of the true ones. */
  readonly oid?: string
  readonly size?: number
  /** The blob whose bytes are sent. */
  readonly content?: Uint8Array
  /** `null` = none. */
  readonly sha256?: Uint8Array | null
  /** Breaks off after so many bytes of this attempt; the connection is lost. */
  readonly cutAfter?: number
  /** Ends in good order so many bytes early, or late. */
  readonly longerBy?: number
  /** Refuses the attempt. */
  readonly refusal?: BlobwireError
  /** Sends a chunk when the test says so. */
  readonly gate?: (sent: number) => Promise<void> | undefined
}

export const cut = () =>
  new BlobwireError({ code: 'unavailable', message: 'the connection broke', sent: 'maybe', attempts: 1 })

export const outOfRange = () =>
  new BlobwireError({ code: 'out_of_range', message: 'outside', sent: 'processed', attempts: 1 })

/** Sends `content` in chunks; `plan` tells of each attempt how it goes, by its number from 0. */
export function blobSender(
  content: Uint8Array,
  { chunkBytes = 10, plan = () => ({}) }: { chunkBytes?: number; plan?: (index: number) => Sending } = {}
) {
  const oid = hashObject('blob', content, 'sha1')
  const attempts: DownloadAttempt[] = []
  /** Streams that were begun and have not ended. */
  const open = new Set<DownloadAttempt>()
  let sentBytes = 0

  async function download(attempt: DownloadAttempt): Promise<IncomingBlob> {
    const sending = plan(attempts.length)
    attempts.push(attempt)
    if (sending.refusal) throw sending.refusal
    const { size = content.length } = sending
    // As HTTP has it: RFC 9110 section 14.1.2.
    if (attempt.offset > 0 && attempt.offset >= size) throw outOfRange()
    if (attempt.length !== undefined && size === 0) throw outOfRange()
    const sent = sending.content ?? content
    const end = Math.min(sent.length, attempt.offset + (attempt.length ?? size))
    const { digestFrom = attempt.offset } = attempt
    const digest = createHash('sha256').update(sent.subarray(digestFrom, end)).digest()
    const isWhole = attempt.offset === 0 && end === size
    const sha256 = sending.sha256 === null || isWhole ? undefined : (sending.sha256 ?? digest)
    open.add(attempt)
    attempt.signal.addEventListener('abort', () => open.delete(attempt), { once: true })
    return { oid: sending.oid ?? oid, size, chunks: chunks(attempt, sending, { sent, end }), sha256 }
  }

  async function* chunks(attempt: DownloadAttempt, sending: Sending, { sent, end }: { sent: Uint8Array; end: number }) {
    const { cutAfter = Number.POSITIVE_INFINITY, longerBy = 0, gate } = sending
    const aborted = new Promise<never>((_, reject) => {
      attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason), { once: true })
    })
    aborted.catch(() => undefined)
    const bytes = Buffer.concat([sent.subarray(attempt.offset, end), Buffer.alloc(Math.max(0, longerBy), 'x')])
    const length = Math.min(bytes.length + Math.min(0, longerBy), cutAfter)
    try {
      for (let at = 0; at < length; at += chunkBytes) {
        await Promise.race([gate?.(at), aborted])
        const chunk = bytes.subarray(at, Math.min(at + chunkBytes, length))
        sentBytes += chunk.length
        yield new Uint8Array(chunk)
      }
      if (cutAfter !== Number.POSITIVE_INFINITY) throw cut()
    } finally {
      open.delete(attempt)
    }
  }

  const harness = pipelineHarness({
    connect: async (_endpoint, name) => ({
      name,
      download,
      unary: () => Promise.reject(new Error('no unary')),
      openSession: () => {
        throw new Error('no session')
      },
      upload: () => Promise.reject(new Error('no upload')),
      canConnect: async () => true,
      closeIdle: () => undefined,
      close: async () => undefined
    })
  })
  const { pipeline, counters } = harness
  const clock = harness.clock as FakeClock
  return {
    oid,
    attempts,
    open,
    clock,
    counters,
    pipeline,
    /** Bytes that were asked for. */
    sent: () => sentBytes,
    download(over: Partial<DownloadRequest> = {}): BlobDownload {
      const request: DownloadRequest = {
        address: { repository: 'demo', oid, revision: '', path: '' },
        range: { start: 0, end: undefined },
        parallel: 1,
        verify: true,
        transfer: { headers: {}, stallTimeoutMs: 30_000 },
        called: { method: 'download', endpoint: 'a' },
        ...over
      }
      return new BlobDownload(request, { runner: pipeline.transfers, clock })
    }
  }
}
