/** In the place of `transfer/transfer-runner.ts`: transfers are loaded with the first one. */
import type { Transfer, TransferAttempt } from '../transfer.ts'
import type { TransferContext } from '../transfer-context.ts'
import type { Attempts, TransferRunner as Replaced } from '../transfer-runner.ts'

export type { Attempts } from '../transfer-runner.ts'

/** The interface of the replaced class. */
type Interface = { readonly [Name in keyof Replaced]: Replaced[Name] }

export class TransferRunner implements Interface {
  readonly #context: TransferContext
  #loading: Promise<Replaced> | undefined
  #loaded: Replaced | undefined
  #isClosed = false

  constructor(context: TransferContext) {
    this.#context = context
  }

  get running(): number {
    return this.#loaded?.running ?? 0
  }

  async run<Result>(transfer: Transfer, attempt: (attempt: TransferAttempt) => Promise<Result>): Promise<Result> {
    return (await this.#load()).run(transfer, attempt)
  }

  async work<Result>(transfer: Transfer, work: (attempts: Attempts) => Promise<Result>): Promise<Result> {
    return (await this.#load()).work(transfer, work)
  }

  close(): void {
    this.#isClosed = true
    this.#loaded?.close()
  }

  #load(): Promise<Replaced> {
    this.#loading ??= import('../transfer-runner.ts').then(
      (replaced) => {
        // Not in the parameters: TypeScript takes the name there for that of this class.
        this.#loaded = new replaced.TransferRunner(this.#context)
        if (this.#isClosed) this.#loaded.close()
        return this.#loaded
      },
      (error) => {
        // The network was down, perhaps.
        this.#loading = undefined
        throw error
      }
    )
    return this.#loading
  }
}
