/** One frame of a session for the access log: its batches end at their own time. */
import type { Messages } from '../../src/schema/messages.ts'
import { methodOf, type NumberedResult, nameOf } from '../metrics/call-table.ts'
import type { AccessLine, AccessLog, FailedOperation, Peer } from './access-log.ts'

const maxFailures = 20

/** The session of a frame, as the log tells of it. */
export interface LoggedSession extends Pick<AccessLine, 'requestId' | 'transport' | 'token'> {
  readonly peer: Peer
}

type Batch = Pick<Messages['SessionBatch'], 'repository' | 'operations'>

export class FrameLog {
  readonly #log: AccessLog
  readonly #session: LoggedSession
  readonly #frame: number
  readonly #heldBytes: number
  readonly #startedAtMs = performance.now()
  readonly #operations: Record<string, number> = {}
  readonly #failures: FailedOperation[] = []
  #repository: string | undefined
  #batches = 0

  constructor(log: AccessLog, session: LoggedSession, { frame, heldBytes }: { frame: number; heldBytes: number }) {
    this.#log = log
    this.#session = session
    this.#frame = frame
    this.#heldBytes = heldBytes
  }

  /** A batch of the frame has its results. */
  batchEnded({ repository, operations }: Batch, results: readonly NumberedResult[]): void {
    this.#batches++
    this.#repository = this.#batches === 1 ? repository : undefined
    operations.forEach((operation, index) => {
      const method = methodOf(nameOf(operation))
      const error = results[index]?.result?.error
      const { requestId } = this.#session
      const failure = error && {
        method,
        code: error.code,
        reason: error.detail?.reason ?? '',
        requestId: error.detail?.requestId ?? requestId
      }
      if (this.#log.detail === 'operations') {
        const { transport, token, peer } = this.#session
        const shared = { kind: 'operation', transport, token, repository, frame: this.#frame } as const
        const durationMs = performance.now() - this.#startedAtMs
        this.#log.write({ ...shared, method, requestId, code: 'ok', ...failure, durationMs }, peer)
        return
      }
      this.#operations[method] = (this.#operations[method] ?? 0) + 1
      if (failure && this.#failures.length < maxFailures) this.#failures.push(failure)
    })
  }

  /** All batches of the frame are answered, or nobody waits for them. */
  end(): void {
    if (this.#log.detail === 'operations') return
    const { requestId, transport, token, peer } = this.#session
    const [first] = this.#failures
    const { code, reason } =
      first ?? (this.#batches === 0 ? { code: 'cancelled', reason: '' } : { code: 'ok', reason: '' })
    const line: AccessLine = {
      kind: 'frame',
      requestId,
      transport,
      repository: this.#repository,
      code,
      reason: reason || undefined,
      durationMs: performance.now() - this.#startedAtMs,
      receivedBytes: this.#heldBytes,
      frame: this.#frame,
      operations: this.#operations,
      failures: first && this.#failures,
      token
    }
    this.#log.write(line, peer)
  }
}
