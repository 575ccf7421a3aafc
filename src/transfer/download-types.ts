/// <reference lib="esnext.disposable" preserve="true" />
/** The public types of downloads. */
import type { TransferOptions } from './options.ts'

declare global {
  /** So that the published types stand on their own: these merge with what the DOM's or Node's types declare. */
  interface ReadableStream<R> {
    readonly locked: boolean
  }
  interface URL {
    href: string
  }
}

/** Options of a download. */
export interface DownloadOptions extends TransferOptions {
  /**
   * First byte, counted from 0. A download that begins beyond the end of the blob fails with `out_of_range`.
   * @default 0
   */
  start?: number | undefined
  /**
   * The byte behind the last one, as in `Blob.slice`; beyond the end of the blob, it is the end.
   * @default the end of the blob
   */
  end?: number | undefined
  /**
   * Ranges that the client receives at the same time, from 1 to 16, which pays where one stream does not fill the
   * network. The client holds at most 16 MiB of them.
   * @default 1
   */
  parallel?: number | undefined
}

/** The blob of a download, and the range of it that is read. */
export interface DownloadInfo {
  oid: string
  /** Of the whole blob, in bytes. */
  size: number
  start: number
  /** The byte behind the last one. */
  end: number
}

/** A `Readable` of Node, as far as it can be told without Node's types: `pipe` it, give it to `pipeline`, or cast it. */
export interface NodeReadable extends AsyncIterable<Uint8Array> {
  pipe<Destination>(destination: Destination, options?: { end?: boolean | undefined }): Destination
  on(event: string, listener: (...values: never[]) => void): this
  once(event: string, listener: (...values: never[]) => void): this
  pause(): this
  resume(): this
  destroy(error?: Error): this
}

/**
 * A blob, or a range of it, on its way. Nothing is sent before it is read, once, by one of: `for await`, `stream`,
 * `toNodeStream`, `toFile` and `bytes`. After a cut the client goes on from the next byte. Leaving the loop, cancelling or
 * destroying the stream, `close` and the signal end the download.
 *
 * The client hashes the bytes as they pass. Where they are not those of the oid (of a range: not those of the digest that
 * the server sends), reading fails at the end with `data_loss`, reason `integrity`: the bytes of a stream are verified
 * when it has ended without an error.
 */
export interface Download extends AsyncIterable<Uint8Array>, AsyncDisposable {
  /** Tells oid, size and range. Before the first byte is read, this is a request of its own. @throws BlobwireError */
  info(): Promise<DownloadInfo>
  /** The bytes as a web stream. */
  stream(): ReadableStream<Uint8Array>
  /** The bytes as a Node stream. */
  toNodeStream(): NodeReadable
  /**
   * Writes the bytes to a file. It is written beside the target, under a temporary name, and takes the target's place,
   * synced, when it is complete and verified: other readers see the old content or the new, whole. A file that is
   * replaced keeps its mode. After an error or an abort, the temporary file is gone and the target as it was.
   * @throws BlobwireError `aborted`, reason `sink_failed`, where the file cannot be written
   */
  toFile(path: string | URL): Promise<{ oid: string; size: number }>
  /**
   * Returns all bytes at once.
   * @throws BlobwireError `resource_exhausted` where they do not fit into one `Uint8Array` on this machine
   */
  bytes(): Promise<Uint8Array>
  /** Ends the download. Reading fails with `cancelled` afterwards; a download that is over stays as it is. */
  close(): Promise<void>
}
