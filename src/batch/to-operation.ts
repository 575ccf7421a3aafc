import type { Codec } from '../codec/codec.ts'
import type { Method } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { type OperationName, operationMessages, type PreparedOperation } from '../transport/session-stream.ts'
import type { Call, Sink } from '../transport/transport.ts'
import { BatchedOperations, type PendingOperation, SingleOperation } from './pending-operation.ts'
import { estimateBytes } from './size.ts'

/** What calls are recognized by. */
export interface OperationContext {
  /** Headers of calls that have none of their own. */
  readonly headers: Readonly<Record<string, string>>
  /** Operations are prepared in its form; gRPC takes that of MessagePack, where bytes are bytes. */
  readonly codec: Codec
}

/** What may take long, and would hold up the answers of a whole frame. */
const slow = new Set<OperationName>(['getTree', 'listCommits', 'commitFiles', 'compare'])

const names = new Map<Method, OperationName>(
  (Object.keys(operationMessages) as OperationName[]).map((name) => [methods[name] as Method, name])
)

/**
 * A call as an entry of the queue; undefined = it cannot travel on a session: it is no operation, has headers of its own
 * or is an atomic batch.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function operationOf(call: Call, sink: Sink, map: OperationContext): PendingOperation | undefined {
  if (call.headers !== map.headers) return undefined
  const { codec } = map
  const name = names.get(call.method)
  if (name === undefined) return call.method === methods.batchOperations ? batchOf(call, sink, codec) : undefined
  const bytes = estimateBytes(call.request, codec.name === 'json')
  const operations = [prepare(codec, name, call.request)]
  return new SingleOperation(name, { call, operations, bytes, unbatchable: slow.has(name) }, sink)
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
  return new BatchedOperations({ call, operations: prepared, bytes, unbatchable: true }, sink)
}
