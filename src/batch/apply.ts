/**
 * Writes with keys, in the form in which they travel: Apply as a request of its own, `Operation.apply` in batches and
 * frames. The layers above see the method's own name.
 */
import type { Call, KeyedCall } from '../call/call.ts'
import { methodName } from '../call/interceptor.ts'
import type { WireObject } from '../codec/codec.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { malformedResponse } from '../transport/errors.ts'
import type { UnaryCall } from '../transport/transport.ts'

/** The field of a write in ApplyRequest and ApplyResponse. */
function fieldOf({ method }: UnaryCall): keyof Messages['ApplyResponse'] {
  return method === methods.batchOperations ? 'batch' : (methodName(method) as keyof Messages['ApplyResponse'])
}

/** The request that a call with a key travels as. */
export function toApply(call: KeyedCall): Pick<UnaryCall, 'method' | 'request'> {
  if (call.requestKey === undefined) return call
  const { repository } = call.request as { repository: string }
  const write = { [fieldOf(call)]: { ...call.request, repository: '' } }
  return { method: methods.apply, request: { repository, requestKey: call.requestKey, ...write } }
}

/** The answer to the call, out of that to its request. @throws BlobwireError `internal` */
export function fromApply(call: KeyedCall, response: object): object {
  if (call.requestKey === undefined) return response
  const field = fieldOf(call)
  const found = (response as Messages['ApplyResponse'])[field]
  if (found === undefined) throw malformedResponse(`no result for ${field}`).with({ attempts: 1 })
  return found
}

/** The operation that a call with a key is in a batch. */
export function toKeyedOperation(call: Call, name: string): object {
  const request = { ...call.request, repository: '' }
  return { requestKey: call.requestKey, timeoutMs: timeoutOf(call), [name]: request }
}

/** Writes the time that is left into operations with keys, as they are sent. */
export function stampTimeouts(call: Call, keyed: readonly WireObject[]): void {
  for (const wire of keyed) wire['timeoutMs'] = timeoutOf(call)
}

/** At least one: zero would be no limit. */
const timeoutOf = (call: Call) => Math.min(2 ** 32 - 1, Math.max(1, Math.ceil(call.remainingMs())))
