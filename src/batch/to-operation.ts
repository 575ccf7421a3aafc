/** Turns a call into a pending operation. */

import type { Call, Sink } from '../call/call.ts'
import type { Codec } from '../codec/codec.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { type OperationName, operationMessages, type PreparedOperation } from '../transport/session-stream.ts'
import { BatchedOperations, type PendingOperation, SingleOperation } from './pending-operation.ts'
import { estimateBytes } from './size.ts'

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
  (Object.keys(operationMessages) as OperationName[]).map((name) => [methods[name] as Method, name])
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
  const bytes = estimateBytes(call.request, codec.name === 'json')
  const prepared = [prepare(codec, name, call.request)]
  return new SingleOperation(name, { call, prepared, bytes, unbatchable: slow.has(name) }, sink)
}

function prepare(codec: Codec, name: OperationName, request: object): PreparedOperation {
  return { [name]: codec.prepareOperation(operationMessages[name], request) }
}

function batchOf(call: Call, sink: Sink, codec: Codec): PendingOperation | undefined {
  const { operations, atomic } = call.request as Messages['BatchOperationsRequest']
  if (atomic || operations.length === 0) return undefined
  let bytes = 0
  const prepared = operations.map((operation) => {
    const name = Object.keys(operation)[0] as OperationName
    bytes += estimateBytes(operation[name], codec.name === 'json')
    return prepare(codec, name, operation[name] as object)
  })
  return new BatchedOperations({ call, prepared, bytes, unbatchable: true }, sink)
}
