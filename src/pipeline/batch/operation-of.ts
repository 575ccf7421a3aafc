import type { Codec } from '../../codec/codec.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import type { Method } from '../../schema/shape.ts'
import { type OperationName, operationShapes, type PreparedOperation } from '../../transport/session.ts'
import type { Call, Settle } from '../../transport/transport.ts'
import { BatchEntry, type Entry, SingleEntry } from './entry.ts'
import { estimateBytes } from './size.ts'

/** What calls are recognized by. */
export interface OperationMap {
  /** Headers of calls that have none of their own. */
  readonly headers: Readonly<Record<string, string>>
  /** Operations are prepared in its form; gRPC takes that of MessagePack, where bytes are bytes. */
  readonly codec: Codec
}

/** What may take long, and would hold up the answers of a whole frame. */
const slow = new Set<OperationName>(['getTree', 'listCommits', 'commitFiles', 'compare'])

const names = new Map<Method, OperationName>(
  (Object.keys(operationShapes) as OperationName[]).map((name) => [methods[name] as Method, name])
)

/**
 * A call as an entry of the queue; undefined = it cannot travel on a session: it is no operation, has headers of its own
 * or is an atomic batch.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function entryOf(call: Call, settle: Settle, map: OperationMap): Entry | undefined {
  if (call.headers !== map.headers) return undefined
  const { codec } = map
  const name = names.get(call.method)
  if (name === undefined) return call.method === methods.batchOperations ? batchOf(call, settle, codec) : undefined
  const bytes = estimateBytes(call.request, codec.name === 'json')
  const operations = [prepare(codec, name, call.request)]
  return new SingleEntry(name, { call, operations, bytes, alone: slow.has(name) }, settle)
}

function prepare(codec: Codec, name: OperationName, request: object): PreparedOperation {
  return { [name]: codec.prepareOperation(operationShapes[name], request) }
}

function batchOf(call: Call, settle: Settle, codec: Codec): Entry | undefined {
  const { operations, atomic } = call.request as Messages['BatchOperationsRequest']
  if (atomic || operations.length === 0) return undefined
  let bytes = 0
  const prepared = operations.map((operation) => {
    const name = Object.keys(operation)[0] as OperationName
    bytes += estimateBytes(operation[name], codec.name === 'json')
    return prepare(codec, name, operation[name] as object)
  })
  return new BatchEntry({ call, operations: prepared, bytes, alone: true }, settle)
}
