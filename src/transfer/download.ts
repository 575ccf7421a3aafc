/** A blob on its way to the application, in the form that the application reads. */
import { type CalledMethod, forCaller } from '../call/caller.ts'
import { asBlobwireError, BlobwireError } from '../core/error.ts'
import { nodeStream } from '../platform/streams.ts'
import type { Download, DownloadInfo, NodeReadable } from './download-types.ts'
import { writeFile } from './file-sink.ts'
import { Reading, type ReadingContext, type ReadingRequest } from './reading.ts'

/** A download that has not begun. */
export interface DownloadRequest extends ReadingRequest {
  /** The method that was called, for errors. */
  readonly called: CalledMethod
}

interface ChunkIterator {
  next(): Promise<IteratorResult<Uint8Array, undefined>>
  return(): Promise<IteratorResult<Uint8Array, undefined>>
  [Symbol.asyncIterator](): ChunkIterator
}

export class BlobDownload implements Download {
  readonly #called: CalledMethod
  readonly #reading: Reading
  #isTaken = false

  constructor({ called, ...request }: DownloadRequest, context: ReadingContext) {
    this.#called = called
    this.#reading = new Reading(request, context)
  }

  async info(): Promise<DownloadInfo> {
    try {
      return await this.#reading.find()
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
        this.#reading.end()
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
    return nodeStream(this[Symbol.asyncIterator]()) as NodeReadable
  }

  async toFile(path: string | URL): Promise<{ oid: string; size: number }> {
    this.#take()
    try {
      await writeFile(path, () => this.#reading.next())
      const { oid, size } = this.#reading.info
      return { oid, size }
    } catch (error) {
      throw this.#forCaller(error, this.toFile)
    } finally {
      this.#reading.end()
    }
  }

  async bytes(): Promise<Uint8Array> {
    this.#take()
    try {
      let chunk = await this.#reading.next()
      const { start, end } = this.#reading.info
      const bytes = allocate(end - start)
      for (let at = 0; chunk !== undefined; chunk = await this.#reading.next()) {
        bytes.set(chunk, at)
        at += chunk.length
      }
      return bytes
    } catch (error) {
      throw this.#forCaller(error, this.bytes)
    } finally {
      this.#reading.end()
    }
  }

  async close(): Promise<void> {
    this.#reading.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** @throws BlobwireError `failed_precondition` for a second reader */
  #take(): void {
    if (this.#isTaken) {
      const message = 'this download has a reader already; call download again for another one'
      throw new BlobwireError({ code: 'failed_precondition', message, ...this.#called })
    }
    this.#isTaken = true
  }

  async *#chunks(): AsyncGenerator<Uint8Array, undefined> {
    const reading = this.#reading
    try {
      for (let chunk = await reading.next(); chunk !== undefined; chunk = await reading.next()) yield chunk
    } catch (error) {
      throw this.#forCaller(error, this.#chunks)
    } finally {
      reading.end()
    }
  }

  #forCaller(error: unknown, below: (...values: never[]) => unknown): BlobwireError {
    const found = asBlobwireError(error)
    const { method, endpoint } = this.#called
    return forCaller(found, { method, endpoint: found.endpoint ?? endpoint }, { below })
  }
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
