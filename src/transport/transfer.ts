/** The seam for large blobs: attempts to send or receive one as a stream. */
import type { UploadBlobResponse } from '../schema/messages.ts'

/** An attempt to send the rest of a blob. */
export interface UploadAttempt {
  readonly repository: string
  readonly uploadId: string
  /** Of the whole blob, in bytes; undefined = known at the end alone. */
  readonly size: number | undefined
  /** Where this attempt goes on; the server holds so many bytes. */
  readonly offset: number
  /** Of the whole blob, where it is known before; empty = not known. */
  readonly oid: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>
  /** Ends the attempt; what the server has taken stays there. */
  readonly signal: AbortSignal
  /**
   * The bytes from `offset` on, asked for as the connection takes them. A chunk must not change until the attempt is over:
   * some are held. Its errors are those of the attempt.
   */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Asked after the last chunk: the digests of the whole blob, of which the server holds it to one. */
  readonly digests: () => { readonly oid: string; readonly sha256: Uint8Array | undefined }
}

/** An attempt to receive a blob, or a range of it. */
export interface DownloadAttempt {
  readonly repository: string
  /** Empty = revision and path. */
  readonly oid: string
  readonly revision: string
  /** As a binary string, one character for each byte. */
  readonly path: string
  /** In bytes. */
  readonly offset: number
  /** In bytes; undefined = to the end. More than 0. */
  readonly length: number | undefined
  /** Where the digest of the answer begins; undefined = at `offset`. */
  readonly digestFrom: number | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** A blob that arrives. */
export interface IncomingBlob {
  readonly oid: string
  /** Of the whole blob, in bytes. */
  readonly size: number
  /** The bytes of the range, once, as the reader asks for them; leaving the loop early ends the stream. */
  readonly chunks: AsyncIterable<Uint8Array>
  /** After the last chunk: the server's SHA-256 of the range; undefined = it sent none. */
  readonly sha256: Uint8Array | undefined
}

/** Carries large blobs, on connections of their own. Every error is a `BlobwireError`. */
export interface TransferTransport {
  /** Resolves with the answer of the server, which may come before the last chunk. */
  upload(attempt: UploadAttempt): Promise<UploadBlobResponse>
  /** Resolves with the beginning of the answer. */
  download(attempt: DownloadAttempt): Promise<IncomingBlob>
}
