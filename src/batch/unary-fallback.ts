/** Batches as unary requests, where there is no session. */
import type { KeyedCall } from '../call/call.ts'
import type { UnaryInvoker } from '../call/interceptor.ts'
import { BlobwireError } from '../core/error.ts'
import { mayFitWhenSplit } from '../core/reasons.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { type AttemptEvents, type ObserverHeader, together } from '../telemetry/observed-call.ts'
import { toKeyedOperation } from './apply.ts'
import type { PendingOperation, PendingOperationOwner, SingleOperation } from './pending-operation.ts'
import { halves, leftOut, wrongResultCount } from './split.ts'

/** Lists of operations that can share a request: of one repository, with equal headers, those of observers left aside. */
export function alike(pending: readonly PendingOperation[]): PendingOperation[][] {
  return [
    ...Map.groupBy(pending, ({ repository, headers }) => {
      const own = headers?.ofCall ?? headers
      return own === undefined || own === 'none' ? repository : JSON.stringify([repository, own.list])
    }).values()
  ]
}

/** Sends operations that are alike together, in as many requests as the server's limits need. */
export async function sendUnary(pending: readonly PendingOperation[], next: UnaryInvoker): Promise<void> {
  // Once, however often the server asks for smaller parts.
  for (const operation of pending) if (!operation.ended) operation.sends++
  await sendSplit(pending, next)
}

async function sendSplit(all: readonly PendingOperation[], next: UnaryInvoker): Promise<void> {
  const pending = all.filter((operation) => !operation.ended && operation.holdsContents())
  const [first] = pending
  if (pending.length > 1) return sendTogether(pending, next)
  if (first === undefined) return
  try {
    // A lone call is sent as itself, not as a batch of one.
    first.answer(await next(first.call))
  } catch (error) {
    first.fail(error)
  }
}

async function sendTogether(pending: readonly PendingOperation[], next: UnaryInvoker): Promise<void> {
  const gathered = new GatheredRequest(pending)
  try {
    const { results } = (await next(gathered)) as Messages['BatchOperationsResponse']
    if (results.length !== pending.length) throw wrongResultCount(pending.length, results.length)
    const again = leftOut(pending, (_operation, index) => results[index]?.error)
    pending.forEach((operation, index) => {
      if (!again.includes(operation)) operation.take(0, results[index] ?? {})
    })
    await sendSplit(again, next)
  } catch (error) {
    // A content went between the check and the writing of the request: that operation fails alone.
    if (pending.some((operation) => !operation.holdsContents())) return sendSplit(pending, next)
    if (!(error instanceof BlobwireError && mayFitWhenSplit(error))) {
      for (const operation of pending) operation.fail(error)
      return
    }
    for (const half of halves(pending)) await sendSplit(half, next)
  }
}

/** A request for several calls, which is cancelled when all of them have ended. */
class GatheredRequest implements KeyedCall, PendingOperationOwner {
  readonly method = methods.batchOperations
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  /** Those of the first call: a request has one trace context. */
  readonly observerHeaders: readonly ObserverHeader[] | undefined
  readonly events: AttemptEvents | undefined
  readonly #pending: readonly PendingOperation[]
  readonly #controller = new AbortController()

  constructor(pending: readonly PendingOperation[]) {
    const [first] = pending as [PendingOperation]
    this.#pending = pending
    this.headers = first.call.headers
    this.observerHeaders = first.call.observerHeaders
    this.events = together(pending.map(({ call }) => call.events))
    // Batches are unbatchable, so each of several is a single operation.
    const operations = (pending as readonly SingleOperation[]).map(({ name, call }) =>
      call.requestKey === undefined
        ? { [name]: { ...call.request, repository: '' } }
        : { apply: toKeyedOperation(call, name) }
    )
    this.request = { repository: first.repository, operations }
    for (const operation of pending) operation.owner = this
  }

  get callCount(): number {
    return this.#pending.length
  }

  get maxSends(): number | undefined {
    const bounds = this.#pending.flatMap(({ call }) => call.maxSends ?? [])
    return bounds.length === 0 ? undefined : Math.min(...bounds)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  operationCancelled(): void {
    if (this.#pending.every(({ ended }) => ended)) this.#controller.abort()
  }

  remainingMs(): number {
    return Math.max(...this.#pending.map(({ call }) => call.remainingMs()))
  }
}
