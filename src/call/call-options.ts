import type { TransportName } from '../core/error.ts'

declare global {
  /** So that the published types stand on their own: merges with what the DOM's or Node's types declare. */
  interface AbortSignal {
    readonly aborted: boolean
  }
}

/** Options of a single call. Every call takes them besides its arguments. */
export interface CallOptions {
  /**
   * Aborting the signal ends the call at once with `cancelled`. The server may still carry the call out.
   * @default none
   */
  signal?: AbortSignal | undefined
  /**
   * Time for the whole call with all its attempts, in milliseconds, more than 0. After this time the call fails with
   * `deadline_exceeded`. The client sends the deadline to the server, which stops its work then.
   * @default the client's `timeoutMs`
   */
  timeoutMs?: number | undefined
  /**
   * Headers (gRPC: metadata) of this call. They take precedence over the client's headers. Names are case-insensitive.
   * Names that the protocol itself uses are refused. Headers of a call, such as W3C `traceparent`, travel in a frame with
   * the call.
   * @default {}
   */
  headers?: Readonly<Record<string, string>> | undefined
  /**
   * Bearer token of this call, in place of the client's `token`. Calls with equal tokens share a session of that token.
   * @default none
   */
  token?: string | undefined
  /**
   * Transport of this call, in place of the client's. Each transport has connections of its own.
   * @default the client's
   */
  transport?: TransportName | undefined
  /**
   * Priority of this call, in place of the client's: `'background'` calls yield to `'interactive'` ones. See
   * `ClientOptions.priority`.
   * @default the client's `priority`
   */
  priority?: 'interactive' | 'background' | undefined
  /**
   * Most attempts of this call, in place of the client's `retry.maxAttempts`; `false` = one. Waits and budget stay the
   * client's. Uploads and downloads are retried as the client says.
   * @default the client's `retry`
   */
  retry?: false | { readonly maxAttempts: number } | undefined
  /**
   * Time for one attempt of this call, in milliseconds, also where the client's adapts.
   * @default the client's `attemptTimeoutMs`
   */
  attemptTimeoutMs?: number | undefined
  /**
   * When this call, if it only reads, gets a second attempt beside a slow first one; `false` = never.
   * @default the client's `hedge`
   */
  hedge?: false | { readonly delayMs: number } | undefined
}
