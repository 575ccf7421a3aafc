/** One upload or download under way: its share of the budget of bytes, and the reasons for which it ends early. */
import type { Readable } from 'node:stream'
import { BlobwireError } from '../../src/core/error.ts'
import type { HandlerDependencies } from '../listener.ts'
import { Charge, type ConnectionBudget } from '../memory-budget.ts'
import type { RequestRecord } from '../metrics/request-record.ts'
import type { UnreadStream } from '../unread-streams.ts'

/** The bounds of a transfer. */
export interface TransferBounds {
  readonly budget: ConnectionBudget
  readonly chunkBytes: number
  /** Time without a byte, after which the transfer ends. */
  readonly idleMs: number
  /** Aborts when the server takes no more work. */
  readonly draining: AbortSignal
  /** Time that the transfer may go on after that. */
  readonly drainMs: number
  /** Aborts with the error of a client's time that is over. */
  readonly deadline?: AbortSignal | undefined
  /** Told at the end of the bytes that the stream carried. */
  readonly record: Pick<RequestRecord, 'transferred'>
}

/** Chunks that a transfer holds at most: one that waits for the store or the network, one that is read meanwhile. */
const heldChunks = 2

/** How often a transfer is looked after in its idle time. */
const looks = 4

/** A transfer; `end` must be called once. */
export class Transfer {
  /** Resolves at its end. */
  readonly ended: Promise<void>
  readonly #bounds: TransferBounds
  readonly #charge: Charge
  readonly #ending = new AbortController()
  readonly #idle: NodeJS.Timeout
  #drain: NodeJS.Timeout | undefined
  #isHeld = false
  /** Bytes of the stream, with the framing of its messages. */
  receivedBytes = 0
  sentBytes = 0
  /** Since a byte moved. */
  #quietLooks = 0
  #unread: UnreadStream | undefined
  #tellEnd: () => void = () => undefined

  /** @throws BlobwireError `resource_exhausted`, reason `connection_full` or `server_full` */
  constructor(bounds: TransferBounds) {
    this.#bounds = bounds
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve
    })
    this.#charge = new Charge(bounds.budget)
    this.#charge.add(heldChunks * bounds.chunkBytes)
    this.#idle = setInterval(this.#look, bounds.idleMs / looks).unref()
    if (bounds.draining.aborted) this.#onDraining()
    else bounds.draining.addEventListener('abort', this.#onDraining)
    bounds.deadline?.addEventListener('abort', this.#onDeadline)
  }

  /** Aborts where the transfer ends early; its reason is the `BlobwireError`. */
  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /**
   * Counts the bytes of the request that wait in the stream while the store is slow: a window of 8 MiB for each stream.
   * Where all streams have too many together, those with the most end.
   */
  watch(input: Readable): void {
    const { unread } = this.#bounds.budget
    this.#unread = {
      get unreadBytes() {
        return input.readableLength
      },
      stop: (error) => this.abort(error)
    }
    unread.add(this.#unread)
  }

  /** A byte has moved. Called so often that it must not touch a timer. */
  touch(): void {
    this.#quietLooks = 0
  }

  /** From now on the transfer waits for the store, which takes as long as it takes; until `free`. */
  hold(): void {
    this.#isHeld = true
  }

  /** The transfer waits for the client again. */
  free(): void {
    this.#isHeld = false
    this.#quietLooks = 0
  }

  /** Ends it early. */
  abort(error: BlobwireError): void {
    this.#ending.abort(error)
  }

  end(): void {
    clearInterval(this.#idle)
    clearTimeout(this.#drain)
    this.#bounds.draining.removeEventListener('abort', this.#onDraining)
    this.#bounds.deadline?.removeEventListener('abort', this.#onDeadline)
    this.#charge.release()
    this.#bounds.record.transferred(this.receivedBytes, this.sentBytes)
    if (this.#unread) this.#bounds.budget.unread.delete(this.#unread)
    this.#tellEnd()
  }

  readonly #look = (): void => {
    if (this.#isHeld || this.#quietLooks++ < looks) return
    const message = `no byte of the transfer moved for ${this.#bounds.idleMs} ms`
    this.abort(new BlobwireError({ reason: 'stalled', message }))
  }

  readonly #onDeadline = (): void => this.abort(this.#bounds.deadline?.reason)

  readonly #onDraining = (): void => {
    this.#drain = setTimeout(() => {
      const message = 'the server is shutting down; the transfer can go on at another one'
      this.abort(new BlobwireError({ reason: 'store_closed', message }))
    }, this.#bounds.drainMs)
  }
}

/** The request that a transfer is. */
export interface TransferRequest {
  readonly connection: object
  readonly record: RequestRecord
}

/** The objects that a transfer works with. */
interface TransferDependencies
  extends Pick<HandlerDependencies, 'memory' | 'draining' | 'transferDrainMs'>,
    Pick<TransferBounds, 'deadline'> {
  readonly service: { readonly limits: Pick<TransferBounds, 'chunkBytes'> }
}

/** Begins a transfer on a connection. @throws BlobwireError as the constructor */
export function openTransfer(dependencies: TransferDependencies, request: TransferRequest, idleMs: number): Transfer {
  const { memory, service, draining, transferDrainMs, deadline } = dependencies
  const { chunkBytes } = service.limits
  const budget = memory.of(request.connection)
  return new Transfer({
    budget,
    chunkBytes,
    idleMs,
    draining,
    drainMs: transferDrainMs,
    deadline,
    record: request.record
  })
}

/** The error of a client that went away. */
export function clientGone(): BlobwireError {
  return new BlobwireError({ code: 'cancelled', message: 'the client closed the stream' })
}
