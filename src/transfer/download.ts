/** A blob on its way to the application: one reading, begun with the first byte that is asked for. */
import { type CalledMethod, forCaller } from '../call/caller.ts'
import { type Abortable, listen, stopListening } from '../core/abort-listeners.ts'
import type { Clock } from '../core/clock.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import { nodeStream } from '../platform/streams.ts'
import { BlobReader } from './blob-reader.ts'
import { type Address, BlobSource } from './blob-source.ts'
import type { Download, DownloadInfo, NodeReadable } from './download-types.ts'
import { writeFile } from './file-sink.ts'
import { findBlob } from './find-blob.ts'
import { type KnownRange, type Range, rangeWithin } from './range.ts'
import type { Transfer } from './transfer.ts'
import type { TransferRunner } from './transfer-runner.ts'

/** A download that has not begun. */
export interface DownloadRequest {
  readonly address: Address
  readonly range: Range
  readonly parallel: number
  readonly verify: boolean
  /** With the caller's signal, and the time for the whole. */
  readonly transfer: Omit<Transfer, 'direction'>
  /** The method that was called, for errors. */
  readonly called: CalledMethod
}

interface DownloadContext {
  readonly runner: Pick<TransferRunner, 'run'>
  readonly clock: Clock
}

interface ChunkIterator {
  next(): Promise<IteratorResult<Uint8Array, undefined>>
  return(): Promise<IteratorResult<Uint8Array, undefined>>
  [Symbol.asyncIterator](): ChunkIterator
}

export class BlobDownload implements Download, Abortable {
  readonly #request: DownloadRequest
  readonly #context: DownloadContext
  readonly #source: BlobSource
  readonly #controller = new AbortController()
  /** Settled with the first answer to the reading. */
  readonly #answered = Promise.withResolvers<void>()
  #finding: Promise<void> | undefined
  #reader: BlobReader | undefined
  #endsAtMs: number | undefined
  #isTaken = false
  #isReading = false
  /** Reading has ended, well or not. */
  #isOver = false
  #isClosed = false
  /** Requests and readings under way, during which the caller's signal is heard. */
  #underWay = 0

  constructor(request: DownloadRequest, context: DownloadContext) {
    this.#request = request
    this.#context = context
    this.#source = new BlobSource(request.address)
    this.#answered.promise.catch(() => undefined)
  }

  async info(): Promise<DownloadInfo> {
    try {
      if (this.#source.found === undefined) await (this.#isReading ? this.#answered.promise : this.#find())
      return { ...this.#found, ...this.#range }
    } catch (error) {
      throw this.#forCaller(error, this.info)
    }
  }

  [Symbol.asyncIterator](): ChunkIterator {
    this.#take()
    const chunks = this.#chunks()
    const iterator: ChunkIterator = {
      next: () => chunks.next(),
      // A generator alone would wait for the read that is under way.
      return: () => {
        this.#end()
        return chunks.return(undefined)
      },
      [Symbol.asyncIterator]: () => iterator
    }
    return iterator
  }

  stream(): ReadableStream<Uint8Array> {
    const chunks = this[Symbol.asyncIterator]()
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { value } = await chunks.next()
          if (value === undefined) controller.close()
          else controller.enqueue(value)
        },
        async cancel() {
          await chunks.return()
        }
      },
      { highWaterMark: 0 }
    )
  }

  toNodeStream(): NodeReadable {
    const chunks = this[Symbol.asyncIterator]()
    return nodeStream(chunks) as NodeReadable
  }

  async toFile(path: string | URL): Promise<{ oid: string; size: number }> {
    this.#take()
    try {
      await writeFile(path, () => this.#next())
      return { ...this.#found }
    } catch (error) {
      throw this.#forCaller(error, this.toFile)
    } finally {
      this.#end()
    }
  }

  async bytes(): Promise<Uint8Array> {
    this.#take()
    try {
      let chunk = await this.#next()
      const { start, end } = this.#range
      const bytes = allocate(end - start)
      for (let at = 0; chunk !== undefined; chunk = await this.#next()) {
        bytes.set(chunk, at)
        at += chunk.length
      }
      return bytes
    } catch (error) {
      throw this.#forCaller(error, this.bytes)
    } finally {
      this.#end()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The caller's signal has aborted. */
  handleEvent(): void {
    this.#controller.abort(this.#request.transfer.signal?.reason)
  }

  get #found(): { oid: string; size: number } {
    const { found } = this.#source
    if (found === undefined) throw new Error('the download has no answer yet')
    return found
  }

  get #range(): KnownRange {
    return rangeWithin(this.#request.range, this.#found.size)
  }

  /** @throws BlobwireError `failed_precondition` for a second reader */
  #take(): void {
    if (this.#isTaken) {
      const message = 'this download has a reader already; call download again for another one'
      const error = new BlobwireError({ code: 'failed_precondition', message })
      throw error.with(this.#request.called)
    }
    this.#isTaken = true
  }

  async *#chunks(): AsyncGenerator<Uint8Array, undefined> {
    try {
      for (let chunk = await this.#next(); chunk !== undefined; chunk = await this.#next()) yield chunk
    } catch (error) {
      throw this.#forCaller(error, this.#chunks)
    } finally {
      this.#end()
    }
  }

  /** The next bytes; undefined = there are none. @throws BlobwireError */
  async #next(): Promise<Uint8Array | undefined> {
    try {
      if (this.#isClosed) throw closed()
      if (this.#isOver) return undefined
      this.#reader ??= await this.#begin()
      const chunk = await this.#reader.next()
      this.#answered.resolve()
      if (chunk === undefined) this.#end()
      return chunk
    } catch (error) {
      if (!this.#isOver && (await this.#isEmptyRange(error))) return undefined
      const found = this.#isClosed ? closed() : error
      this.#answered.reject(found)
      throw found
    }
  }

  async #begin(): Promise<BlobReader> {
    const { parallel, verify, range } = this.#request
    this.#listen()
    this.#isReading = true
    const reader = new BlobReader({
      runner: this.#context.runner,
      transfer: () => this.#transfer(),
      source: this.#source,
      range,
      parallel,
      verify
    })
    // A request for the beginning may be under way, and a branch may move.
    await this.#finding?.catch(() => undefined)
    if (this.#source.found === undefined && range.start === range.end) await this.#find()
    return reader
  }

  /** A range that begins at the end of the blob is empty, which HTTP does not know: RFC 9110 section 14.1.2. */
  async #isEmptyRange(error: unknown): Promise<boolean> {
    if (!(error instanceof BlobwireError) || error.code !== 'out_of_range' || this.#source.found) return false
    await this.#find()
    const { start, end } = this.#range
    this.#end()
    return start === end
  }

  /** Asks for oid and size alone. */
  #find(): Promise<void> {
    this.#finding ??= this.#findOnce().finally(() => {
      this.#finding = undefined
    })
    return this.#finding
  }

  async #findOnce(): Promise<void> {
    this.#listen()
    try {
      await this.#context.runner.run(this.#transfer(), (attempt) => findBlob(this.#source, attempt))
    } catch (error) {
      throw this.#isClosed ? closed() : error
    } finally {
      this.#unlisten()
    }
  }

  #transfer(): Transfer {
    const { transfer } = this.#request
    const { timeoutMs } = transfer
    const { signal } = this.#controller
    if (timeoutMs === undefined) return { ...transfer, direction: 'down', signal }
    const now = this.#context.clock.now()
    this.#endsAtMs ??= now + timeoutMs
    return { ...transfer, direction: 'down', signal, timeoutMs: Math.max(1, Math.ceil(this.#endsAtMs - now)) }
  }

  #listen(): void {
    const { signal } = this.#request.transfer
    if (this.#isClosed) throw closed()
    if (this.#underWay++ > 0 || signal === undefined) return
    if (signal.aborted) this.handleEvent()
    else listen(signal, this)
  }

  #unlisten(): void {
    const { signal } = this.#request.transfer
    if (--this.#underWay === 0 && signal !== undefined) stopListening(signal, this)
  }

  /** Reading is over: what is under way for it ends. */
  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#isReading) this.#unlisten()
    this.#controller.abort(closed())
  }

  #forCaller(error: unknown, below: (...values: never[]) => unknown): BlobwireError {
    const found = asBlobwireError(error)
    const { method, endpoint } = this.#request.called
    return forCaller(found, { method, endpoint: found.endpoint ?? endpoint }, { below })
  }
}

function closed(): BlobwireError {
  return new BlobwireError({ code: 'cancelled', message: 'the download was closed' })
}

/** @throws BlobwireError `resource_exhausted` */
function allocate(length: number): Uint8Array {
  try {
    return new Uint8Array(length)
  } catch (cause) {
    const message = `${length} bytes do not fit into one Uint8Array here; read the download as a stream, or toFile`
    throw new BlobwireError({ code: 'resource_exhausted', message, sent: 'processed', attempts: 1, cause })
  }
}
