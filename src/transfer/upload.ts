/** Sends one content to the server: begins, and after each cut goes on from the bytes that the server holds. */
import type { Clock } from '../core/clock.ts'
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { newObjectHash, type ObjectFormat } from '../git/oid.ts'
import { encodeHex, toNative } from '../platform/bytes.ts'
import { newHash } from '../platform/hash.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import type { Source } from './source.ts'
import { SourceReader } from './source-reader.ts'
import type { TransferAttempt } from './transfer.ts'
import type { Attempts } from './transfer-runner.ts'

/** A content that was stored. */
export interface UploadResult {
  oid: string
  /** Bytes. */
  size: number
}

/** An upload that has not begun. */
export interface UploadPlan {
  readonly clock: Clock
  readonly repository: string
  readonly uploadId: string
  /** The server may hold a part of it. */
  readonly isResumed: boolean
  readonly source: Source
  /** Bytes; undefined = known at the end of the source. */
  readonly size: number | undefined
  readonly format: ObjectFormat
  /** As the caller told it, or as it was computed; empty = not known. */
  readonly oid: string
  /** The oid was computed from this source, which then need not be hashed again. */
  readonly isHashed: boolean
  readonly chunkBytes: number
  readonly maxBlobBytes: number
  /** See `SourceReaderOptions`. */
  readonly keptBytes: number
  /** Called with the bytes that the server holds before an attempt. */
  readonly onOffset: (offset: number) => void
  /** Called with the bytes that were given to the connection. */
  readonly onPosition: (position: number) => void
}

/** A server works through content that it holds at least so fast, in bytes per millisecond. */
const serverBytesPerMs = 20_000
/** Time between two questions for the bytes that the server holds, where it took none in between, in milliseconds. */
const askAgainMs = 20

export class Upload {
  readonly #plan: UploadPlan
  readonly #reader: SourceReader
  readonly #finish: () => Uint8Array
  #mayHold: boolean
  #digest: Uint8Array | undefined
  /** The error of the source or of the application; the transport may tell another one. */
  #failure: unknown
  #asking: Promise<void> | undefined

  constructor(plan: UploadPlan) {
    this.#plan = plan
    const { source, size, format, chunkBytes, keptBytes, isHashed } = plan
    const hash = size === undefined ? newHash('sha256') : newObjectHash('blob', size, format)
    this.#finish = () => hash.digest()
    this.#mayHold = plan.isResumed
    this.#reader = new SourceReader(source, { chunkBytes, keptBytes, size, hash: isHashed ? undefined : hash })
  }

  /** The server may hold a part of the upload. */
  get hasBegun(): boolean {
    return this.#mayHold
  }

  /** @throws BlobwireError */
  run(attempts: Attempts): Promise<UploadResult> {
    return attempts((attempt) => this.#attempt(attempt))
  }

  /** Ends the source. */
  close(): void {
    this.#reader.close()
  }

  async #attempt(attempt: TransferAttempt): Promise<UploadResult> {
    const held = this.#mayHold ? await this.#query(attempt) : undefined
    this.#mayHold = true
    if (held?.complete) {
      await attempt.idle(this.#readToEnd())
      return this.#checked(held.oid, held.size ?? held.offset)
    }
    const offset = held?.offset ?? 0
    const { size } = this.#plan
    if (size !== undefined && offset > size) throw beyond(offset, size)
    this.#plan.onOffset(offset)
    // A stream to the server is opened when there is something to send.
    await attempt.idle(this.#reader.at(offset))
    attempt.signal.throwIfAborted()
    attempt.allow(offset / serverBytesPerMs)
    return this.#send(attempt, offset)
  }

  async #send(attempt: TransferAttempt, offset: number): Promise<UploadResult> {
    const { repository, uploadId, size, oid } = this.#plan
    const { transport, headers, signal } = attempt
    this.#failure = undefined
    try {
      const response = await transport.upload({
        repository,
        uploadId,
        size,
        offset,
        oid,
        headers,
        signal,
        chunks: this.#chunks(attempt, offset),
        digests: () => this.#digests()
      })
      if (!response.complete) throw cut(response)
      return this.#checked(response.oid, response.size)
    } catch (error) {
      if (this.#failure !== undefined) throw this.#failure
      // An earlier attempt was still arriving when the server was asked for its offset.
      const isBehind = error instanceof BlobwireError && error.is('upload_offset')
      throw isBehind ? error.with({ retryable: true }) : error
    }
  }

  async *#chunks(attempt: TransferAttempt, offset: number): AsyncGenerator<Uint8Array, void> {
    let position = offset
    try {
      for (;;) {
        const piece = await attempt.idle(this.#reader.at(position))
        if (piece === undefined) break
        const end = position + piece.length
        if (end > this.#plan.maxBlobBytes) throw tooLarge(end, this.#plan.maxBlobBytes)
        yield piece
        position = end
        attempt.moved(piece.length)
        this.#plan.onPosition(position)
        if (this.#reader.readsOnce) await this.#keepUp(attempt, position)
      }
      this.#checkOid(this.#digests().oid)
      attempt.allow(position / serverBytesPerMs)
    } catch (error) {
      if (!attempt.signal.aborted) this.#failure ??= error
      throw error
    }
  }

  /** Of a source that reads once, no more is sent than can be kept until the server is known to hold it. */
  async #keepUp(attempt: TransferAttempt, position: number): Promise<void> {
    const { keptBytes, clock } = this.#plan
    const unconfirmed = () => position - this.#reader.confirmedTo
    if (unconfirmed() > keptBytes / 2) this.#ask(attempt)
    while (unconfirmed() > keptBytes && !attempt.signal.aborted) {
      const before = unconfirmed()
      await this.#ask(attempt)
      if (unconfirmed() === before) await new Promise<void>((resolve) => clock.schedule(askAgainMs, resolve))
    }
  }

  #ask(attempt: TransferAttempt): Promise<void> {
    this.#asking ??= this.#query(attempt)
      .then(() => undefined)
      // The attempt itself tells whether its connection is there.
      .catch(() => undefined)
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  /** Asks for the bytes that the server holds; none where it knows nothing of the upload. */
  async #query(attempt: TransferAttempt): Promise<Messages['QueryUploadResponse']> {
    const { repository, uploadId } = this.#plan
    const request = { repository, uploadId }
    const held = await attempt.unary(methods.queryUpload, request).catch((error: unknown) => {
      if (error instanceof BlobwireError && error.is('upload')) return { offset: 0, complete: false, oid: '' }
      throw error
    })
    if (held.offset > this.#reader.confirmedTo) attempt.progressed()
    this.#reader.confirmedTo = held.offset
    return held
  }

  async #readToEnd(): Promise<void> {
    let position = 0
    if (this.#plan.isHashed || this.#digest !== undefined) return
    for (;;) {
      const piece = await this.#reader.at(position)
      if (piece === undefined) return
      position += piece.length
    }
  }

  #digests(): { readonly oid: string; readonly sha256: Uint8Array | undefined } {
    const { oid, isHashed, size } = this.#plan
    if (isHashed) return { oid, sha256: undefined }
    this.#digest ??= this.#finish()
    if (size === undefined) return { oid, sha256: this.#digest }
    return { oid: encodeHex(toNative(this.#digest)), sha256: undefined }
  }

  #checkOid(found: string): void {
    const { oid, isHashed } = this.#plan
    if (oid === '' || isHashed || found === oid) return
    throw invalidArgument('oid', `the content has the oid ${found}, not ${oid}`)
  }

  /** The answer of the server, held against the bytes that were read. */
  #checked(oid: string, size: number): UploadResult {
    const expected = this.#digests().oid
    const expectedSize = this.#reader.size
    if (expectedSize !== undefined && size !== expectedSize) {
      throw notTheSame(`the upload has ${size} bytes, not the ${expectedSize} of its source`)
    }
    if (expected !== '' && oid !== expected) throw notTheSame(`the upload became ${oid}, not ${expected}`)
    return { oid, size }
  }
}

function notTheSame(message: string): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message, sent: 'processed', attempts: 1 })
}

function cut({ offset }: Messages['UploadBlobResponse']): BlobwireError {
  const message = `the server ended the upload at byte ${offset}`
  return new BlobwireError({ code: 'unavailable', message, sent: 'processed', attempts: 1 })
}

function beyond(offset: number, size: number): BlobwireError {
  const message = `the server holds ${offset} bytes of an upload of ${size}`
  return new BlobwireError({ reason: 'malformed_response', message, sent: 'processed', attempts: 1 })
}

/** The refusal of a content above the limit of the server. */
export function tooLarge(actual: number, maximum: number): BlobwireError {
  const message = `the content has ${actual} bytes or more; at most maxBlobBytes (${maximum}) are allowed`
  const details = { limit: { limit: 'max_blob_bytes', maximum, actual } }
  return new BlobwireError({ code: 'resource_exhausted', message, details })
}
