/** What the frames of a session need of the batcher. */
import type { Fallback } from '../balance/fallback.ts'
import type { AnswerTimes } from '../core/answer-times.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { BlobwireError } from '../core/error.ts'
import type { RetryBudget } from '../retry/budget.ts'
import type { Messages } from '../schema/messages.ts'
import type { OpenStream } from '../session/session.ts'
import type { Report } from '../telemetry/client-event.ts'
import type { FrameWindow } from './frame-window.ts'
import type { PendingOperation } from './pending-operation.ts'

/** Takes operations back that are not answered on the session. */
export interface SessionFramesOwner {
  /** There is room for a frame, or operations wait again. */
  onRoom(): void
  /** To be sent again, before all others or (`last`) behind them. */
  requeue(operations: readonly PendingOperation[], place: 'first' | 'last'): void
  /** To be sent as unary requests. */
  sendUnary(operations: readonly PendingOperation[]): void
  /** No session could be opened: operations that wait for one fail with the same error. */
  failWaiting(error: BlobwireError): void
}

/** Shared with the batcher. */
export interface SessionFramesContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly window: FrameWindow
  readonly fallback: Fallback
  readonly open: OpenStream
  /** The server's limits, as far as they are known; lowered where the server says so. */
  readonly limits: () => Messages['Limits']
  /** A session that is opened again may have a fresh token. */
  readonly refreshable: boolean
  /** Cancelled frames without an answer beyond which the session is unresponsive. */
  readonly maxAbandoned: number
  /** Operations that are sent again are retries. */
  readonly budget: RetryBudget
  readonly answers: AnswerTimes
  /** Takes the events of sessions. */
  readonly report: Report
  readonly owner: SessionFramesOwner
}
