/** The kinds of sources that applications give to uploads. */

/** A web stream of bytes, as far as the client uses it. `ReadableStream` of browsers and of Node is one. */
export interface ByteStream {
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: unknown }>
    cancel(reason?: unknown): Promise<unknown>
    releaseLock(): void
  }
}

/** A `Blob` or `File`, as far as the client uses it. */
export interface BlobLike {
  /** Bytes. */
  readonly size: number
  slice(start?: number, end?: number): BlobLike
  stream(): ByteStream
  arrayBuffer(): Promise<ArrayBuffer>
}

/** A `file:` URL, as far as the client uses it. */
export interface FileUrl {
  readonly href: string
  readonly protocol: string
}

/** Bytes that come in pieces: a stream of Node or of the web, or any async iterable; strings stand for their UTF-8. */
export type ByteChunks = AsyncIterable<Uint8Array | string> | ByteStream

/**
 * The content of an upload: bytes or a string, a `Blob`, a file by its path, a stream, or a function that returns a fresh
 * stream each time. All but a plain stream can be read again from any offset; of a plain stream, the client keeps the
 * latest 16 MiB, within which it can go on after a cut. Pieces that a stream has given are the client's.
 */
export type UploadSource =
  | Uint8Array
  | string
  | BlobLike
  | {
      /** Path of a file, or a `file:` URL; a relative path is one in the working directory. */
      file: string | FileUrl
    }
  | ByteChunks
  | (() => ByteChunks | Promise<ByteChunks>)

export function isBlob(value: object): value is BlobLike {
  return 'arrayBuffer' in value && 'slice' in value && 'stream' in value && 'size' in value
}

export function isStream(value: object): value is ByteChunks {
  return Symbol.asyncIterator in value || 'getReader' in value
}

/** A stream, a function or a `Blob`. */
export function isSource(value: unknown): value is Exclude<UploadSource, Uint8Array | string | { file: unknown }> {
  return (
    typeof value === 'function' || (typeof value === 'object' && value !== null && (isBlob(value) || isStream(value)))
  )
}
