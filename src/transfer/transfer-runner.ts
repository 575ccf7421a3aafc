/**
 * Runs transfers: the layers of the pipeline that a transfer passes in place of `runCall` and the retrier
 * (`call/pipeline.ts`), with the same selector, breakers and budget.
 */
import { abortError, BlobwireError } from '../core/error.ts'
import { RunningTransfer } from './running-transfer.ts'
import type { Transfer, TransferAttempt } from './transfer.ts'
import type { TransferContext } from './transfer-context.ts'

/** Runs attempts of a transfer until one has a result. @throws BlobwireError */
export type Attempts = <Result>(attempt: (attempt: TransferAttempt) => Promise<Result>) => Promise<Result>

export class TransferRunner {
  readonly #context: TransferContext
  readonly #running = new Set<{ end(error: BlobwireError): void }>()
  #isClosed = false

  constructor(context: TransferContext) {
    this.#context = context
  }

  /** Transfers under way. */
  get running(): number {
    return this.#running.size
  }

  /** One transfer that is nothing but its attempts; see `work`. @throws BlobwireError */
  run<Result>(transfer: Transfer, attempt: (attempt: TransferAttempt) => Promise<Result>): Promise<Result> {
    return this.work(transfer, (attempts) => attempts(attempt))
  }

  /**
   * Carries out the work of one transfer: attempts, and before and between them whatever needs none, such as reading a
   * source. It rejects at once when the caller aborts, the deadline passes or the client is closed; an attempt is told by
   * its signal.
   * @throws BlobwireError
   */
  async work<Result>(transfer: Transfer, work: (attempts: Attempts) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw clientClosed()
    if (transfer.signal?.aborted) throw abortError(transfer.signal.reason)
    const running = new RunningTransfer<Result>(transfer, this.#context)
    this.#running.add(running)
    this.#context.work.beginWork()
    try {
      return await running.start(() => work((attempt) => running.attempts(attempt)))
    } finally {
      this.#context.work.endWork()
      this.#running.delete(running)
    }
  }

  /** Ends all transfers with `cancelled`, reason `client_closed`, and refuses later ones. */
  close(): void {
    this.#isClosed = true
    for (const transfer of this.#running) transfer.end(clientClosed())
  }
}

function clientClosed(): BlobwireError {
  return new BlobwireError({ reason: 'client_closed', message: 'the client is closed' })
}
