/** Turns a call into a pending operation. */

import type { Call, Sink } from '../call/call.ts'
import type { Codec, WireObject } from '../codec/codec.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { type OperationName, operationMessages, type PreparedOperation } from '../transport/session-stream.ts'
import { toKeyedOperation } from './apply.ts'
import { BatchedOperations, type PendingOperation, SingleOperation } from './pending-operation.ts'

/** How operations are recognized and prepared. */
export interface OperationContext {
  /** The client's own headers; calls with others are no operations. */
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
 * The operation of a call; undefined = the call cannot travel on a session: it is no operation, has headers of its own or
 * is an atomic batch.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function operationOf(call: Call, sink: Sink, context: OperationContext): PendingOperation | undefined {
  if (call.headers !== context.headers) return undefined
  const { codec } = context
  const name = names.get(call.method)
  if (name === undefined) return call.method === methods.batchOperations ? batchOf(call, sink, codec) : undefined
  if (call.requestKey !== undefined) {
    const { wire, bytes } = codec.prepareOperation(operationMessages.apply, toKeyedOperation(call, name))
    const init = { call, prepared: [{ apply: wire }], keyed: [wire], bytes, unbatchable: slow.has(name) }
    return new SingleOperation(name, init, sink)
  }
  const { wire, bytes } = codec.prepareOperation(operationMessages[name], call.request)
  return new SingleOperation(name, { call, prepared: [{ [name]: wire }], bytes, unbatchable: slow.has(name) }, sink)
}

function batchOf(call: Call, sink: Sink, codec: Codec): PendingOperation | undefined {
  const { operations, atomic } = call.request as Messages['BatchOperationsRequest']
  if (atomic || operations.length === 0) return undefined
  let total = 0
  const keyed: WireObject[] = []
  const prepared = operations.map((operation): PreparedOperation => {
    const name = Object.keys(operation)[0] as OperationName
    const { wire, bytes } = codec.prepareOperation(operationMessages[name], operation[name] as object)
    total += bytes
    if (name === 'apply') keyed.push(wire)
    return { [name]: wire }
  })
  return new BatchedOperations({ call, prepared, keyed, bytes: total, unbatchable: true }, sink)
}
