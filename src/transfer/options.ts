/** Options of calls that move large content. */
import type { CallOptions } from '../call/call-options.ts'
import type { ProgressListener } from './progress.ts'

/** Options of uploads and downloads. */
export interface TransferOptions extends CallOptions {
  /**
   * Time for the whole transfer with all its attempts, in milliseconds, more than 0. After this time it fails with
   * `deadline_exceeded`. Without it, a transfer may take as long as bytes move.
   * @default none
   */
  timeoutMs?: number | undefined
  /**
   * An attempt in which no byte moves for so long has failed, in milliseconds, more than 0; the client makes another one.
   * Time in which the client waits for the source or the reader does not count. While the server works through content that
   * it holds (after the last byte of an upload, and before an upload goes on), the time is longer by a second for each 20 MB.
   * @default 30000
   */
  stallTimeoutMs?: number | undefined
  /**
   * Called with the progress at most ten times a second, and at the end. An exception fails the call with `aborted`.
   * @default none
   */
  onProgress?: ProgressListener | undefined
}

/** Options of `upload`. */
export interface UploadOptions extends TransferOptions {
  /**
   * Size of the content in bytes, for sources that do not know their own: the oid is then computed while the content is
   * sent. A source of another size fails the upload. The size of a stream is known at its end alone, unless it is given.
   * @default none
   */
  size?: number | undefined
  /**
   * Oid of the content, where it is known. Content that the repository has is not sent, and other content is refused.
   * Without it, the client computes the oid of sources that can be read again before it sends them, unless its link is
   * faster than that.
   * @default none
   */
  oid?: string | undefined
  /**
   * A token from `onResumeToken`, of an earlier upload of the same content. The source is given from its beginning; what
   * the server holds is not sent again. Where the server holds nothing any more, or the source has changed, the upload
   * begins anew.
   * @default none
   */
  resume?: string | undefined
  /**
   * Called once, before the first byte is sent, with a token by which another process goes on with the upload, also when
   * the server was restarted. With this option an upload that fails or is aborted stays on the server, for as long as the
   * server keeps such (`limits.uploadIdleSeconds`); without it, the client cancels it. The token holds no credentials.
   * @default none
   */
  onResumeToken?: ((token: string) => void) | undefined
}

export const defaultStallTimeoutMs = 30_000
