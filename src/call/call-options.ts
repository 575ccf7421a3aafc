import type { TransportName } from '../core/error.ts'

declare global {
  /** So that the published types stand on their own: merges with what the DOM's or Node's types declare. */
  interface AbortSignal {
    readonly aborted: boolean
  }
}

/** What every call takes besides its arguments. */
export interface CallOptions {
  /**
   * Ends the call: it settles at once with `cancelled`. The server may still carry it out.
   * @default none
   */
  signal?: AbortSignal | undefined
  /**
   * Time for the whole call, in milliseconds, more than 0; then it fails with `deadline_exceeded`. The server is told,
   * and stops too.
   * @default the client's `timeoutMs`
   */
  timeoutMs?: number | undefined
  /**
   * Headers (gRPC: metadata) for this call, over the client's own. Names are case-insensitive; those that the protocol
   * itself uses are refused.
   * @default {}
   */
  headers?: Readonly<Record<string, string>> | undefined
  /**
   * The transport of this call, where it is not to be the client's own. It travels on connections of that transport.
   * @default the client's
   */
  transport?: TransportName | undefined
}
