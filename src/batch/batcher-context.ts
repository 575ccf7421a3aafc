import type { UnaryInvoker } from '../call/interceptor.ts'
import type { Clock } from '../core/clock.ts'
import type { Counters } from '../core/counters.ts'
import type { Messages } from '../schema/messages.ts'
import type { OpenStream } from '../session/session.ts'
import type { ResolvedBatchOptions } from './options.ts'
import type { OperationContext } from './to-operation.ts'

/** What a batcher stands on. */
export interface BatcherContext {
  readonly clock: Clock
  readonly counters: Counters
  readonly options: ResolvedBatchOptions
  /** The server's limits, as far as they are known; made smaller where it says so. */
  readonly limits: () => Messages['Limits']
  readonly operations: OperationContext
  /** The way of a single request. */
  readonly unary: UnaryInvoker
  readonly open: OpenStream
  /** A session that is opened again may have a fresh token. */
  readonly refreshable: boolean
  /** Frames of a session that broke are sent again, without having been asked for. */
  readonly resent: () => void
}
