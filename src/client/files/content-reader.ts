/**
 * Reads the contents of many blobs in a given order: in batches, several under way, ahead of the reader by a bounded number
 * of bytes.
 */
import { wrongResultCount } from '../../batch/split.ts'
import type { CallOptions } from '../../call/call-options.ts'
import { abortError, asBlobwireError, BlobwireError } from '../../core/error.ts'
import { mayFitWhenSplit } from '../../core/reasons.ts'
import type { GetBlobResponse, Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { errorOfOperation, malformedResponse } from '../../transport/errors.ts'
import { isRetryable } from '../batch-retry.ts'
import type { RepositoryCalls } from '../calls.ts'
import type { OperationResult } from '../results.ts'
import { verifierOf } from '../verify/answers.ts'

/** Content of a blob; without bytes where it is larger than answers of calls. */
export interface Content {
  /** In bytes. */
  readonly size: number
  readonly bytes: Uint8Array | undefined
  /** The bytes are a zlib stream of the content. */
  readonly isDeflated: boolean
}

/** Bytes that are asked for in one batch, about: a round trip of 100 ms still moves 60 MB/s. */
const batchBytes = 1024 * 1024
const maxBatches = 6
/** Contents that wait for the reader, and those on their way, about; an answer has at most `maxBatchBytes`. */
const maxAheadBytes = 16 * 1024 * 1024
/** Most operations of a batch. */
const maxOperations = 256
/** Before anything is known about the contents. */
const assumedBytes = 16 * 1024

interface ContentReaderOptions {
  readonly calls: RepositoryCalls
  /** For each request. */
  readonly options: () => CallOptions
  /**
   * Whether contents are held against their oids here; otherwise as the client's `verify` says.
   */
  readonly verify?: boolean
  /** Whether contents may come deflated, which are not held against their oids here. */
  readonly acceptDeflated?: boolean
}

/** Gives contents in the order of the oids. */
export class ContentReader {
  readonly #calls: RepositoryCalls
  readonly #options: () => CallOptions
  readonly #verify: boolean
  readonly #acceptDeflated: boolean
  readonly #oids: readonly string[]
  readonly #controller = new AbortController()
  readonly #signal: AbortSignal
  /** Contents that have come, by index. */
  readonly #ready = new Map<number, Content>()
  /** Indexes that an answer had no room for, or whose batch was too large. */
  #again: number[] = []
  #asked = 0
  #batches = 0
  #given = 0
  #readyBytes = 0
  #maxOperations = maxOperations
  #comeBytes = 0
  #come = 0
  #failure: BlobwireError | undefined
  #wake: (() => void) | undefined

  constructor(oids: readonly string[], readerOptions: ContentReaderOptions) {
    const { calls, options, verify = calls.invoker.options.verify, acceptDeflated = false } = readerOptions
    this.#verify = verify
    // Interceptors see contents.
    this.#acceptDeflated = acceptDeflated && calls.invoker.interception === undefined
    this.#oids = oids
    this.#calls = calls
    this.#options = options
    const { signal } = options()
    this.#signal = signal ? AbortSignal.any([signal, this.#controller.signal]) : this.#controller.signal
  }

  /** All contents, once. Leaving the loop early ends what is under way. @throws BlobwireError */
  async *contents(): AsyncGenerator<Content, void> {
    try {
      while (this.#given < this.#oids.length) yield await this.#next()
    } finally {
      this.#controller.abort()
    }
  }

  async #next(): Promise<Content> {
    for (;;) {
      this.#ask()
      const content = this.#ready.get(this.#given)
      if (content !== undefined) {
        this.#ready.delete(this.#given++)
        this.#readyBytes -= content.bytes?.length ?? 0
        return content
      }
      if (this.#failure !== undefined) throw this.#failure
      if (this.#signal.aborted) throw abortError(this.#signal.reason)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  get #meanBytes(): number {
    return this.#come === 0 ? assumedBytes : Math.max(64, this.#comeBytes / this.#come)
  }

  /** Sends batches while there is room. The content that the reader waits for is asked for in any case. */
  #ask(): void {
    while (this.#failure === undefined && this.#batches < maxBatches) {
      const isOpen = this.#again.length > 0 || this.#asked < this.#oids.length
      const ahead = this.#readyBytes + this.#batches * batchBytes
      if (!isOpen || (ahead >= maxAheadBytes && this.#batches > 0)) return
      if (ahead >= maxAheadBytes && this.#ready.has(this.#given)) return
      this.#batches++
      void this.#fetch(this.#nextRun()).finally(() => {
        this.#batches--
        this.#wake?.()
      })
    }
  }

  #nextRun(): number[] {
    const { maxBatchOperations } = this.#calls.invoker.caches.limits
    const most = Math.min(
      this.#maxOperations,
      maxBatchOperations,
      Math.max(8, Math.floor(batchBytes / this.#meanBytes))
    )
    if (this.#again.length > 0) return this.#again.splice(0, most)
    const from = this.#asked
    this.#asked = Math.min(this.#oids.length, from + most)
    return Array.from({ length: this.#asked - from }, (_, index) => from + index)
  }

  async #fetch(run: readonly number[]): Promise<void> {
    try {
      const results = await this.#read(run.map((index) => this.#oids[index] as string))
      await Promise.all(run.map((index, position) => this.#take(index, results[position] as BlobResult)))
    } catch (error) {
      if (error instanceof BlobwireError && run.length > 1 && mayFitWhenSplit(error)) {
        this.#maxOperations = Math.ceil(run.length / 2)
        this.#askAgain(run)
      } else this.#failure ??= asBlobwireError(error)
    }
  }

  #askAgain(indexes: readonly number[]): void {
    this.#again = [...this.#again, ...indexes].sort((one, other) => one - other)
  }

  /** Interceptors of calls see a batch. */
  #read(oids: readonly string[]): Promise<BlobResult[]> {
    const options = { ...this.#options(), signal: this.#signal }
    const operations = oids.map((oid) => ({ getBlob: this.#acceptDeflated ? { oid, acceptDeflated: true } : { oid } }))
    const { invoker, repository } = this.#calls
    if (invoker.interception === undefined) return this.#send(repository, operations, options)
    return invoker.intercept({
      method: 'batch',
      repository,
      message: { operations },
      options,
      run: (message, rest, name = '') => this.#send(name, message.operations, rest)
    })
  }

  /** Not as `batch` does it, which would wait for results that had no room, and hold large contents. */
  async #send(repository: string, operations: readonly GetBlob[], options?: CallOptions): Promise<BlobResult[]> {
    const request = { repository, operations: [...operations] }
    const { results } = await this.#calls.invoker.invoke(methods.batchOperations, request, options)
    if (results.length !== operations.length) throw wrongResultCount(operations.length, results.length)
    return results.map((result, index) => this.#verified(operations[index]?.getBlob.oid ?? '', result))
  }

  #verified(oid: string, { getBlob, error }: Messages['OperationResult']): BlobResult {
    try {
      if (error) throw errorOfOperation(error)
      if (getBlob === undefined) throw malformedResponse('an operation has no result').with({ attempts: 1 })
      verifierOf('getBlob', this.#verify)?.({ repository: '', oid }, getBlob)
      return { ok: true, value: getBlob }
    } catch (problem) {
      return { ok: false, error: asBlobwireError(problem) }
    }
  }

  async #take(index: number, result: BlobResult): Promise<void> {
    const { value, error } = result
    if (value !== undefined) return this.#keep(index, value)
    if (error.reason === 'batch_response_full') return this.#askAgain([index])
    const size = sizeOfLarge(error)
    if (size !== undefined) return this.#keep(index, { size })
    if (!isRetryable(error)) throw error
    const { invoker, repository } = this.#calls
    const options = { ...this.#options(), signal: this.#signal }
    this.#keep(index, await invoker.operation('getBlob', { repository, oid: this.#oids[index] as string }, options))
  }

  #keep(index: number, { size, content, deflated }: FoundContent): void {
    if (deflated !== undefined && !this.#acceptDeflated) throw malformedResponse('a blob came deflated, unasked')
    // One that inflates to more than any answer is read as a large one is, in parts.
    const isDeflated = deflated !== undefined && size <= this.#calls.invoker.options.maxResponseBytes
    const bytes = deflated === undefined || isDeflated ? (deflated ?? content) : undefined
    this.#ready.set(index, { size, bytes, isDeflated })
    const length = bytes?.length ?? 0
    this.#readyBytes += length
    this.#comeBytes += length
    this.#come++
  }
}

/** Without bytes, it is too large for an answer. */
interface FoundContent {
  readonly size: number
  readonly content?: Uint8Array
  readonly deflated?: Uint8Array | undefined
}

interface GetBlob {
  readonly getBlob: { readonly oid: string; readonly acceptDeflated?: boolean }
}

type BlobResult = OperationResult<GetBlobResponse>

/** The size of a blob that is too large for answers; undefined = the error says something else. */
function sizeOfLarge({ details }: BlobwireError): number | undefined {
  return details.limit?.limit === 'max_inline_bytes' ? details.limit.actual : undefined
}
