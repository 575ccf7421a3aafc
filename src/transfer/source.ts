/** The sources of uploads, as applications give them, and the one form in which the client reads them. */
import { contentGone, isGone } from '../core/contents.ts'
import { BlobwireError } from '../core/error.ts'
import { fileTrouble } from '../core/file-trouble.ts'
import { encodeUtf8, utf8Length } from '../platform/bytes.ts'
import { fileSize, openFile } from '../platform/files.ts'
import {
  type BlobLike,
  type ByteChunks,
  type ByteStream,
  type FileUrl,
  isBlob,
  isStream,
  type UploadSource
} from './source-kinds.ts'

/** A source, opened. */
export interface Source {
  /** Bytes; undefined = known at its end alone. */
  readonly size: number | undefined
  /** How often it can be read: from any offset, from its start again, or once. */
  readonly reads: 'anywhere' | 'again' | 'once'
  /** Tells the source and its state from others; empty = there is nothing to tell by. */
  readonly identity: string
  /** Reads from `offset` on, which is 0 unless it `reads` from anywhere. Pieces may be of any size and kind. */
  read(offset: number, chunkBytes: number): AsyncIterator<unknown>
  close(): Promise<void>
}

const nothing = async () => undefined

/** @throws BlobwireError `aborted`, reason `source_failed`, for a file that cannot be opened */
export async function openSource(given: UploadSource): Promise<Source> {
  if (typeof given === 'string') return ofBytes(encodeUtf8(given))
  if (given instanceof Uint8Array) return ofBytes(given)
  if (typeof given === 'function') return { ...ofStream(given), reads: 'again' }
  if ('file' in given) return ofFile(given.file)
  if (isBlob(given)) return ofBlob(given)
  const { readableEnded, destroyed } = given as { readonly readableEnded?: boolean; readonly destroyed?: boolean }
  if (readableEnded || destroyed) throw sourceFailed('the stream was read or destroyed before')
  return ofStream(() => given, given)
}

/** Ends a stream that was given, and that nobody will read; other sources have nothing open. */
export function endStream(given: UploadSource | undefined): void {
  if (typeof given !== 'object' || given instanceof Uint8Array || 'file' in given || isBlob(given)) return
  openSource(given)
    .then((source) => source.close())
    .catch(() => undefined)
}

/** Bytes of a source that is not open; undefined = known once it is read. @throws BlobwireError `source_failed` */
export async function sizeOfSource(given: UploadSource): Promise<number | undefined> {
  if (given instanceof Uint8Array) return given.length
  if (typeof given === 'string') return utf8Length(given)
  if (typeof given === 'function') return undefined
  if ('file' in given) return fileSize(given.file).catch((cause: unknown) => notOpened(given.file, cause))
  return isBlob(given) ? given.size : undefined
}

/** The failure of a source, which no repetition mends. */
export function sourceFailed(message: string, cause?: unknown): BlobwireError {
  return new BlobwireError({ reason: 'source_failed', message, cause })
}

function ofBytes(bytes: Uint8Array): Source {
  async function* pieces(offset: number, chunkBytes: number) {
    for (let at = offset; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
    if (isGone(bytes)) throw contentGone('content')
  }
  return { size: bytes.length, reads: 'anywhere', identity: '', read: pieces, close: nothing }
}

function ofBlob(blob: BlobLike): Source {
  const read = (offset: number) => ofReader(blob.slice(offset).stream().getReader())
  return { size: blob.size, reads: 'anywhere', identity: '', read, close: nothing }
}

async function ofFile(path: string | FileUrl): Promise<Source> {
  const file = await openFile(path).catch((cause: unknown) => notOpened(path, cause))
  const { size, identity } = file
  async function* pieces(offset: number, chunkBytes: number) {
    let at = offset
    // A file that grows meanwhile is taken as it was when it was opened.
    const length = () => (size === undefined ? chunkBytes : Math.min(chunkBytes, size - at))
    const next = () => (length() > 0 ? file.read(length(), size === undefined ? undefined : at) : undefined)
    // The next piece is read while the last one is on its way.
    let ahead = next()
    for (let piece = await ahead; piece !== undefined && piece.length > 0; piece = await ahead) {
      at += piece.length
      ahead = next()
      ahead?.catch(() => undefined)
      yield piece
    }
  }
  return { size, reads: size === undefined ? 'once' : 'anywhere', identity, read: pieces, close: () => file.close() }
}

/** `given` is a stream that is open already, and ends with the source though nothing of it was read. */
function ofStream(open: () => ByteChunks | Promise<ByteChunks>, given?: ByteChunks): Source {
  let current: AsyncIterator<unknown> | undefined
  const read = () => {
    let iterator: Promise<AsyncIterator<unknown>> | undefined
    current = {
      async next() {
        iterator ??= openStream(open)
        return (await iterator).next()
      },
      // Not a generator, which would end only behind the piece that it waits for.
      async return() {
        await (await iterator)?.return?.()
        return over
      }
    }
    return current
  }
  const close = async () => {
    current ??= given && iterate(given)
    await current?.return?.()
  }
  return { size: undefined, reads: 'once', identity: '', read, close }
}

const over = { done: true, value: undefined } as const

async function openStream(open: () => ByteChunks | Promise<ByteChunks>): Promise<AsyncIterator<unknown>> {
  const stream = await open()
  if (typeof stream === 'object' && stream !== null && isStream(stream)) return iterate(stream)
  throw sourceFailed('the function of the source returned no stream')
}

/** Streams that were read: most have then no bytes, which is no error of theirs. */
const taken = new WeakSet<ByteChunks>()

function iterate(stream: ByteChunks): AsyncIterator<unknown> {
  if (taken.has(stream)) throw sourceFailed('the stream was read before, by an earlier call or an earlier attempt')
  // Streams of the web are iterable in some runtimes only, and their iterators do not end while they wait.
  if ('getReader' in stream) {
    const reader = stream.getReader()
    taken.add(stream)
    return ofReader(reader)
  }
  const iterator = stream[Symbol.asyncIterator]()
  // Others are new with each iterator.
  if ((iterator as unknown) === stream) taken.add(stream)
  const { destroy, readableEncoding } = stream as { destroy?: () => unknown; readableEncoding?: string | null }
  if (typeof destroy !== 'function') return iterator
  if (readableEncoding && !/^utf-?8$/i.test(readableEncoding)) {
    throw sourceFailed(`the stream gives text in place of bytes: leave out its encoding, ${readableEncoding}`)
  }
  return {
    next: () => iterator.next(),
    async return() {
      destroy.call(stream)
      return over
    }
  }
}

function ofReader(reader: ReturnType<ByteStream['getReader']>): AsyncIterator<unknown> {
  return {
    async next() {
      const { done, value } = await reader.read()
      return done ? over : { done: false, value }
    },
    async return() {
      await reader.cancel()
      reader.releaseLock()
      return over
    }
  }
}

function notOpened(path: string | FileUrl, cause: unknown): never {
  const name = typeof path === 'string' ? path : path.href
  throw sourceFailed(`the file ${JSON.stringify(name)} cannot be opened (${fileTrouble(cause)})`, cause)
}
