import type { UnaryInvoker } from '../call/interceptor.ts'
import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { malformedResponse } from '../transport/errors.ts'
import type { UnaryCall } from '../transport/transport.ts'
import type { PendingOperation, PendingOperationOwner, SingleOperation } from './pending-operation.ts'

/** The same batches as requests of their own, where there is no session. */
export async function sendUnary(pending: readonly PendingOperation[], next: UnaryInvoker): Promise<void> {
  // Once, however often the server asks for smaller parts.
  for (const operation of pending) if (!operation.ended) operation.sends++
  await sendSplit(pending, next)
}

async function sendSplit(all: readonly PendingOperation[], next: UnaryInvoker): Promise<void> {
  const pending = all.filter(({ ended }) => !ended)
  const [first] = pending
  if (pending.length > 1) return sendTogether(pending, next)
  if (first === undefined) return
  try {
    // A lone call is sent as what it is.
    first.answer(await next(first.call))
  } catch (error) {
    first.fail(error)
  }
}

async function sendTogether(pending: readonly PendingOperation[], next: UnaryInvoker): Promise<void> {
  const gathered = new GatheredRequest(pending)
  try {
    const { results } = (await next(gathered)) as Messages['BatchOperationsResponse']
    if (results.length !== pending.length) throw wrongCount(pending.length, results.length)
    const left = pending.filter((_entry, index) => isLeftOut(results[index]))
    // The first always fits, so this ends.
    const again = left.length < pending.length ? left : []
    pending.forEach((operation, index) => {
      if (!again.includes(operation)) operation.take(0, results[index] ?? {})
    })
    await sendSplit(again, next)
  } catch (error) {
    if (!isTooLarge(error)) {
      for (const operation of pending) operation.fail(error)
      return
    }
    const middle = pending.length >> 1
    await sendSplit(pending.slice(0, middle), next)
    await sendSplit(pending.slice(middle), next)
  }
}

/** The answer to its batch was full; it is to be asked for again. */
function isLeftOut(result: Messages['OperationResult'] | undefined): boolean {
  return result?.error?.detail?.reason === 'batch_response_full'
}

/** A request for several calls: it ends when none of them waits any more. */
class GatheredRequest implements UnaryCall, PendingOperationOwner {
  readonly method = methods.batchOperations
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  readonly #pending: readonly PendingOperation[]
  readonly #controller = new AbortController()

  constructor(pending: readonly PendingOperation[]) {
    const [first] = pending as [PendingOperation]
    this.#pending = pending
    this.headers = first.call.headers
    // Batches travel alone, so that several entries are single operations.
    const operations = (pending as readonly SingleOperation[]).map(({ name, call }) => ({
      [name]: { ...call.request, repository: '' }
    }))
    this.request = { repository: first.repository, operations }
    for (const operation of pending) operation.owner = this
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

/** Of a proxy that refused the request, of our own cap on responses, and of gRPC for either. */
const tooLargeReasons = new Set(['request_too_large', 'response_too_large', 'message_too_large'])

/** Whether the same operations in smaller requests may succeed. */
export function isTooLarge(error: unknown): error is BlobwireError {
  if (!(error instanceof BlobwireError) || error.code !== 'resource_exhausted') return false
  return error.details.limit !== undefined || tooLargeReasons.has(error.reason)
}

/** An answer with more or fewer results than there were operations. */
export function wrongCount(expected: number, found: number): BlobwireError {
  return malformedResponse(`${found} results for ${expected} operations`).with({ attempts: 1 })
}
