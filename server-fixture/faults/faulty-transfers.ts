/** Faults in the middle of uploads and downloads. */
import type { IncomingUpload, OutgoingBlob } from '../service/vcs-service.ts'
import type { Fault } from './rules.ts'

/** The fault of one transfer, and how it happens. */
export interface TransferFault {
  readonly fault: Fault
  /** Bytes that pass before it happens. */
  readonly afterBytes: number
  readonly random: () => number
  /** Ends the stream, or falls silent. Rejects when nobody waits for the answer any more. */
  happen(): Promise<never>
  /** After the last byte, or once the blob is stored: loses the answer. */
  afterwards(): Promise<void>
}

/** An upload of which the server takes other bytes, or no more than some. */
export function faultyUpload(upload: IncomingUpload, active: TransferFault): IncomingUpload {
  const { fault, afterBytes } = active
  let passed = 0
  const interrupted = async (before: Uint8Array) => {
    await upload.write(before)
    await active.happen()
  }
  return {
    get offset() {
      return upload.offset
    },
    write(chunk) {
      const room = afterBytes - passed
      passed += chunk.length
      if (room < 0 || room >= chunk.length) return upload.write(chunk)
      if (fault.kind === 'corrupt') return upload.write(flipBit(chunk, room, active.random))
      return interrupts(fault) ? interrupted(chunk.subarray(0, room)) : upload.write(chunk)
    },
    async finish(digests) {
      const response = await upload.finish(digests)
      await active.afterwards()
      return response
    },
    release: () => upload.release()
  }
}

/** A download of which the client receives other bytes, or no more than some. */
export function faultyDownload(blob: OutgoingBlob, active: TransferFault): OutgoingBlob {
  const { fault, afterBytes } = active
  return {
    oid: blob.oid,
    size: blob.size,
    start: blob.start,
    end: blob.end,
    narrow: (range) => faultyDownload(blob.narrow(range), active),
    get sha256() {
      return blob.sha256
    },
    async *chunks() {
      let passed = 0
      for await (const chunk of blob.chunks()) {
        const room = afterBytes - passed
        passed += chunk.length
        if (room < 0 || room >= chunk.length) yield chunk
        else if (fault.kind === 'corrupt') yield flipBit(chunk, room, active.random)
        else if (interrupts(fault)) {
          yield chunk.subarray(0, room)
          await active.happen()
        } else yield chunk
      }
      await active.afterwards()
    },
    close: () => blob.close()
  }
}

const interrupts = ({ kind }: Fault): boolean => kind === 'cut' || kind === 'silence'

function flipBit(chunk: Uint8Array, at: number, random: () => number): Uint8Array {
  const copy = Buffer.from(chunk)
  copy[at] = (copy[at] as number) ^ (1 << Math.floor(random() * 8))
  return copy
}
