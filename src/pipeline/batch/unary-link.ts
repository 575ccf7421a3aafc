import { BlobwireError } from '../../core/error.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { malformedResponse } from '../../transport/errors.ts'
import type { OutgoingCall } from '../../transport/transport.ts'
import type { UnaryWay } from '../layer.ts'
import type { Entry, EntryOwner, SingleEntry } from './entry.ts'

/** The same batches as requests of their own, where there is no session. */
export async function sendUnary(entries: readonly Entry[], next: UnaryWay): Promise<void> {
  // Once, however often the server asks for smaller parts.
  for (const entry of entries) if (!entry.ended) entry.sends++
  await sendParts(entries, next)
}

async function sendParts(all: readonly Entry[], next: UnaryWay): Promise<void> {
  const entries = all.filter(({ ended }) => !ended)
  const [first] = entries
  if (entries.length > 1) return sendTogether(entries, next)
  if (first === undefined) return
  try {
    // A lone call is sent as what it is.
    first.answer(await next(first.call))
  } catch (error) {
    first.fail(error)
  }
}

async function sendTogether(entries: readonly Entry[], next: UnaryWay): Promise<void> {
  const gathered = new GatheredCall(entries)
  try {
    const { results } = (await next(gathered)) as Messages['BatchOperationsResponse']
    if (results.length !== entries.length) throw wrongCount(entries.length, results.length)
    const left = entries.filter((_entry, index) => isLeftOut(results[index]))
    // The first always fits, so this ends.
    const again = left.length < entries.length ? left : []
    entries.forEach((entry, index) => {
      if (!again.includes(entry)) entry.take(0, results[index] ?? {})
    })
    await sendParts(again, next)
  } catch (error) {
    if (!isTooLarge(error)) {
      for (const entry of entries) entry.fail(error)
      return
    }
    const middle = entries.length >> 1
    await sendParts(entries.slice(0, middle), next)
    await sendParts(entries.slice(middle), next)
  }
}

/** The answer to its batch was full; it is to be asked for again. */
function isLeftOut(result: Messages['OperationResult'] | undefined): boolean {
  return result?.error?.detail?.reason === 'batch_response_full'
}

/** A request for several calls: it ends when none of them waits any more. */
class GatheredCall implements OutgoingCall, EntryOwner {
  readonly method = methods.batchOperations
  readonly request: object
  readonly headers: Readonly<Record<string, string>>
  readonly #entries: readonly Entry[]
  readonly #controller = new AbortController()

  constructor(entries: readonly Entry[]) {
    const [first] = entries as [Entry]
    this.#entries = entries
    this.headers = first.call.headers
    // Batches travel alone, so that several entries are single operations.
    const operations = (entries as readonly SingleEntry[]).map(({ name, call }) => ({
      [name]: { ...call.request, repository: '' }
    }))
    this.request = { repository: first.repository, operations }
    for (const entry of entries) entry.owner = this
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  entryEnded(): void {
    if (this.#entries.every(({ ended }) => ended)) this.#controller.abort()
  }

  remainingMs(): number {
    return Math.max(...this.#entries.map(({ call }) => call.remainingMs()))
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
