/** One reading of a blob: it begins with the first byte that is asked for, and ends with the last, an error or its reader. */
import { type Abortable, listen, stopListening } from '../core/abort-listeners.ts'
import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'
import { BlobReader } from './blob-reader.ts'
import { type Address, BlobSource } from './blob-source.ts'
import type { DownloadInfo } from './download-types.ts'
import { findBlob } from './find-blob.ts'
import { type ProgressListener, ProgressMeter } from './progress.ts'
import { type Range, rangeWithin } from './range.ts'
import type { Transfer } from './transfer.ts'
import type { TransferRunner } from './transfer-runner.ts'

export interface ReadingRequest {
  readonly address: Address
  readonly range: Range
  readonly parallel: number
  readonly verify: boolean
  /** With the caller's signal, and the time for the whole. */
  readonly transfer: Omit<Transfer, 'direction'>
  readonly onProgress?: ProgressListener | undefined
}

export interface ReadingContext {
  readonly runner: Pick<TransferRunner, 'run'>
  readonly clock: Clock
}

export class Reading implements Abortable {
  readonly #request: ReadingRequest
  readonly #context: ReadingContext
  readonly #source: BlobSource
  readonly #controller = new AbortController()
  /** Settled with the first answer. */
  readonly #answered = Promise.withResolvers<void>()
  #finding: Promise<void> | undefined
  #reader: BlobReader | undefined
  #meter: ProgressMeter | undefined
  #endsAtMs: number | undefined
  #hasBegun = false
  #isOver = false
  #isClosed = false
  /** The reading, and requests for the beginning, during which the caller's signal is heard. */
  #underWay = 0

  constructor(request: ReadingRequest, context: ReadingContext) {
    this.#request = request
    this.#context = context
    this.#source = new BlobSource(request.address)
    this.#answered.promise.catch(() => undefined)
  }

  /** The blob and its range, once an answer has told them. */
  get info(): DownloadInfo {
    const { found } = this.#source
    if (found === undefined) throw new Error('the download has no answer yet')
    return { ...found, ...rangeWithin(this.#request.range, found.size) }
  }

  /** Waits for the first answer, for which it sends a request of its own unless the reading has begun. @throws BlobwireError */
  async find(): Promise<DownloadInfo> {
    if (this.#source.found === undefined) await (this.#hasBegun ? this.#answered.promise : this.#find())
    return this.info
  }

  /** The next bytes; undefined = there are none. Called again when it has settled. @throws BlobwireError */
  async next(): Promise<Uint8Array | undefined> {
    try {
      if (this.#isClosed) throw closed()
      if (this.#isOver) return undefined
      this.#reader ??= await this.#begin()
      const chunk = await this.#reader.next()
      this.#answered.resolve()
      this.#tellProgress(chunk)
      if (chunk === undefined) this.end()
      return chunk
    } catch (error) {
      if (!this.#isOver && (await this.#isEmptyRange(error))) return undefined
      const found = this.#isClosed ? closed() : error
      this.#answered.reject(found)
      throw found
    }
  }

  /** Reading is over: what is under way for it ends. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    if (this.#hasBegun) this.#unlisten()
    this.#controller.abort(closed())
  }

  /** Ends it, so that its reader is told. */
  close(): void {
    this.#isClosed = true
    this.end()
  }

  /** The caller's signal has aborted. */
  handleEvent(): void {
    this.#controller.abort(this.#request.transfer.signal?.reason)
  }

  async #begin(): Promise<BlobReader> {
    const { onProgress, ...request } = this.#request
    this.#listen()
    this.#hasBegun = true
    this.#meter = new ProgressMeter(this.#context.clock, onProgress, 'download')
    this.#meter.totalFiles = 1
    const { runner } = this.#context
    const reader = new BlobReader({ ...request, runner, source: this.#source, transfer: () => this.#transfer() })
    // A request for the beginning may be under way, and a branch may move.
    await this.#finding?.catch(() => undefined)
    const { start, end } = request.range
    if (this.#source.found === undefined && start === end) await this.#find()
    return reader
  }

  /** @throws BlobwireError where the listener throws */
  #tellProgress(chunk: Uint8Array | undefined): void {
    const meter = this.#meter as ProgressMeter
    const { start, end } = this.info
    meter.totalBytes = end - start
    if (chunk !== undefined) return meter.add(chunk.length, true)
    meter.fileDone()
    meter.end()
  }

  /** A range that begins at the end of the blob is empty, which HTTP does not know: RFC 9110 section 14.1.2. */
  async #isEmptyRange(error: unknown): Promise<boolean> {
    if (!(error instanceof BlobwireError) || error.code !== 'out_of_range' || this.#source.found) return false
    await this.#find()
    const { start, end } = this.info
    this.end()
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
    const { transfer, address } = this.#request
    const { timeoutMs } = transfer
    const { signal } = this.#controller
    const { repository } = address
    if (timeoutMs === undefined) return { ...transfer, direction: 'down', repository, signal }
    const now = this.#context.clock.now()
    this.#endsAtMs ??= now + timeoutMs
    return {
      ...transfer,
      direction: 'down',
      repository,
      signal,
      timeoutMs: Math.max(1, Math.ceil(this.#endsAtMs - now))
    }
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
}

function closed(): BlobwireError {
  return new BlobwireError({ code: 'cancelled', message: 'the download was closed' })
}
