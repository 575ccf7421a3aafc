/** A server of uploads without sockets, for the client's pipeline: it holds bytes, and cuts where a test says. */
import { createHash } from 'node:crypto'
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject } from '../../src/git/oid.ts'
import type { Messages } from '../../src/schema/messages.ts'
import type { UploadAttempt } from '../../src/transport/transfer.ts'
import type { Transport, UnaryCall } from '../../src/transport/transport.ts'
import { down } from './pipeline-harness.ts'

interface Held {
  content: Buffer[]
  bytes: number
  oid: string
}

export class FakeUploads {
  readonly held = new Map<string, Held>()
  /** Each attempt by its offset. */
  readonly offsets: number[] = []
  /** Bytes that came, those sent again included. */
  received = 0
  queries = 0
  cancelled: string[] = []
  /** Before each chunk is taken: an error cuts the upload, and the chunk is lost. */
  onChunk: (state: { readonly bytes: number; readonly attempt: number }) => Promise<void> | void = () => undefined
  /** After the next question for an offset: bytes of an earlier attempt that come late. */
  onLate: (() => void) | undefined
  /** Before the answer. */
  onComplete: (attempt: number) => void = () => undefined

  /** Loses everything, as a server without a disk does that is started again. */
  restart(): void {
    this.held.clear()
  }

  content(id: string): Buffer {
    return Buffer.concat(this.held.get(id)?.content ?? [])
  }

  readonly connect = async (_endpoint: string, name: 'json' | 'msgpack' | 'grpc'): Promise<Transport> => ({
    name,
    unary: async (call) => this.#unary(call),
    openSession: () => {
      throw new Error('no session')
    },
    upload: (attempt) => this.#upload(attempt),
    download: () => Promise.reject(new Error('no download')),
    canConnect: async () => true,
    closeIdle: () => undefined,
    close: async () => undefined
  })

  #unary({ method, request }: UnaryCall): object {
    const { uploadId } = request as Messages['QueryUploadRequest']
    const held = this.held.get(uploadId)
    if (method.name === 'CancelUpload') {
      this.cancelled.push(uploadId)
      return { cancelled: this.held.delete(uploadId) }
    }
    this.queries++
    if (held === undefined) throw new BlobwireError({ reason: 'upload', message: 'no upload', sent: 'processed' })
    const answer = {
      offset: held.bytes,
      complete: held.oid !== '',
      oid: held.oid,
      size: held.oid === '' ? undefined : held.bytes
    }
    this.onLate?.()
    this.onLate = undefined
    return answer
  }

  async #upload({ uploadId, offset, chunks, digests, size, signal }: UploadAttempt) {
    const attempt = this.offsets.push(offset)
    const held = this.held.get(uploadId) ?? { content: [], bytes: 0, oid: '' }
    this.held.set(uploadId, held)
    if (offset !== held.bytes) throw new BlobwireError({ reason: 'upload_offset', message: 'no', sent: 'processed' })
    for await (const chunk of chunks) {
      signal.throwIfAborted()
      this.received += chunk.length
      await this.onChunk({ bytes: held.bytes, attempt })
      held.content.push(Buffer.from(chunk))
      held.bytes += chunk.length
    }
    const told = digests()
    const content = Buffer.concat(held.content)
    const oid = hashObject('blob', content, 'sha1')
    const sha256 = createHash('sha256').update(content).digest()
    const isRight = size === undefined ? sha256.equals(told.sha256 ?? Buffer.alloc(0)) : told.oid === oid
    if (!isRight) throw new BlobwireError({ reason: 'integrity', message: 'other bytes', sent: 'processed' })
    held.oid = oid
    this.onComplete(attempt)
    return { oid, size: held.bytes, offset: held.bytes, complete: true }
  }
}

export const cutError = () => new BlobwireError({ ...down, sent: 'maybe', attempts: 1 })
