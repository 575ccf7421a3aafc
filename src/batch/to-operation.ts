/** Turns a call into a pending operation. */

import type { Call, Sink } from '../call/call.ts'
import type { Codec, WireObject } from '../codec/codec.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import type { PreparedOperation } from '../transport/session-frame.ts'
import { type OperationName, operationMessages } from '../transport/session-stream.ts'
import { toKeyedOperation } from './apply.ts'
import type { UnframedReason } from './batching-mode.ts'
import { changedHeaders, type OwnHeaders, withObserverHeaders } from './own-headers.ts'
import { BatchedOperations, type PendingOperation, SingleOperation } from './pending-operation.ts'

/** How operations are recognized and prepared. */
export interface OperationContext {
  /** The client's own headers, which sessions have; others travel with their operation. */
  readonly headers: Readonly<Record<string, string>>
  /** Prepares operations; gRPC takes those of MessagePack, where bytes are bytes. */
  readonly codec: Codec
}

/** Operations that may take long, and would hold up the answers of a whole frame. */
const slow = new Set<OperationName>(['getTree', 'listCommits', 'commitFiles', 'compare'])

const names = new Map<Method, OperationName>(
  (Object.keys(operationMessages) as OperationName[])
    .filter((name) => name !== 'apply')
    .map((name) => [methods[name] as Method, name])
)

/**
 * The operation of a call, or why the call cannot travel on a session.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function operationOf(call: Call, sink: Sink, context: OperationContext): PendingOperation | UnframedReason {
  const { codec } = context
  const name = names.get(call.method)
  if (name === undefined && call.method !== methods.batchOperations) return 'method'
  const { observerHeaders } = call
  const own = call.ownHeaders ?? changedHeaders(call.headers, context.headers)
  if (own === 'cannot_travel') return 'headers'
  const headers = observerHeaders === undefined ? own : withObserverHeaders(own, observerHeaders)
  if (name === undefined) return batchOf(call, sink, { codec, headers })
  if (call.requestKey !== undefined) {
    const { wire, bytes } = codec.prepareOperation(operationMessages.apply, toKeyedOperation(call, name))
    const init = { name, call, keyed: [wire], bytes, unbatchable: slow.has(name), headers }
    return new SingleOperation({ apply: wire }, init, sink)
  }
  const { wire, bytes } = codec.prepareOperation(operationMessages[name], call.request)
  // No literal with this key; see `OwnCall`.
  const prepared: Record<string, object> = {}
  prepared[name] = wire
  return new SingleOperation(prepared, { name, call, bytes, unbatchable: slow.has(name), headers }, sink)
}

function batchOf(
  call: Call,
  sink: Sink,
  { codec, headers }: { codec: Codec; headers: OwnHeaders | undefined }
): PendingOperation | UnframedReason {
  const { operations, atomic } = call.request as Messages['BatchOperationsRequest']
  if (atomic || operations.length === 0) return 'atomic'
  let total = 0
  const keyed: WireObject[] = []
  const prepared = operations.map((operation): PreparedOperation => {
    const name = Object.keys(operation)[0] as OperationName
    const { wire, bytes } = codec.prepareOperation(operationMessages[name], operation[name] as object)
    total += bytes
    if (name === 'apply') keyed.push(wire)
    return { [name]: wire }
  })
  return new BatchedOperations(prepared, { call, keyed, bytes: total, unbatchable: true, headers }, sink)
}
