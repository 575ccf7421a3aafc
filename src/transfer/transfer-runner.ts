/**
 * Runs transfers: the layers of the pipeline that a transfer passes in place of `runCall` and the retrier
 * (`call/pipeline.ts`), with the same selector, breakers and budget.
 */
import { abortError, BlobwireError } from '../core/error.ts'
import { RunningTransfer } from './running-transfer.ts'
import type { Transfer, TransferAttempt } from './transfer.ts'
import type { TransferContext } from './transfer-context.ts'

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

  /**
   * Runs the attempts of a transfer, until one has a result. It rejects at once when the caller aborts, the deadline
   * passes or the client is closed; the attempt is told by its signal.
   * @throws BlobwireError
   */
  async run<Result>(transfer: Transfer, attempt: (attempt: TransferAttempt) => Promise<Result>): Promise<Result> {
    const { counters, work } = this.#context
    counters.transfers.started++
    if (this.#isClosed || transfer.signal?.aborted) {
      counters.transfers.failures++
      throw this.#isClosed ? clientClosed() : abortError(transfer.signal?.reason)
    }
    const running = new RunningTransfer(transfer, attempt, this.#context)
    this.#running.add(running)
    work.beginWork()
    try {
      return await running.start()
    } finally {
      work.endWork()
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
