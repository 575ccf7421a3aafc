/** The access log: a line of JSON for each request and for each frame of a session, or for each operation of a frame. */
import type { LineWriter } from './line-writer.ts'

/** A frame has one line, or one for each of its operations. */
export type AccessLogDetail = 'frames' | 'operations'

/** Who sent a request. */
export interface Peer {
  /** Address and port. */
  readonly remote: string | undefined
  readonly userAgent: string | undefined
}

/** The facts of a line; those that are undefined are left out. */
export interface AccessLine {
  readonly kind: 'request' | 'frame' | 'operation'
  /** That of the request or session; errors name it, or one of their own (`failures`). */
  readonly requestId: string
  readonly transport: string
  /** Undefined for a frame. */
  readonly method?: string | undefined
  readonly repository?: string | undefined
  /** `ok`, or the code of the error; of a frame or batch, the first one. */
  readonly code: string
  readonly reason?: string | undefined
  readonly durationMs: number
  readonly receivedBytes?: number | undefined
  readonly sentBytes?: number | undefined
  /** Number of a frame in its session, from 1. */
  readonly frame?: number | undefined
  /** Of a frame: operations by method. */
  readonly operations?: Readonly<Record<string, number>> | number | undefined
  /** Of a frame: the operations that failed, at most 20. */
  readonly failures?: readonly FailedOperation[] | undefined
  /** Name of the token; never the token. */
  readonly token?: string | undefined
}

/** An operation that failed. */
export interface FailedOperation {
  readonly method: string
  readonly code: string
  readonly reason: string
  readonly requestId: string
}

/** A text of a client, which may be as long as its headers or its message. No repository has a longer name. */
const maxTextLength = 200

export class AccessLog {
  readonly detail: AccessLogDetail
  readonly #writer: LineWriter

  constructor(writer: LineWriter, detail: AccessLogDetail) {
    this.#writer = writer
    this.detail = detail
  }

  write(line: AccessLine, { remote, userAgent }: Peer): void {
    const durationMs = Math.round(line.durationMs * 1000) / 1000
    const all = {
      time: new Date().toISOString(),
      ...line,
      durationMs,
      repository: line.repository?.slice(0, maxTextLength),
      remote,
      userAgent: userAgent?.slice(0, maxTextLength)
    }
    this.#writer.write(`${JSON.stringify(all)}\n`)
  }

  figures(): { readonly written: number; readonly dropped: number } {
    const { written, dropped } = this.#writer
    return { written, dropped }
  }

  reopen(): Promise<void> {
    return this.#writer.reopen()
  }

  close(): Promise<void> {
    return this.#writer.close()
  }
}
