import type { Codec } from '../../codec/codec.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import type { Method, ShapeName } from '../../schema/shape.ts'
import { type OperationName, operationShapes, type PreparedOperation } from '../../transport/session.ts'
import type { Call } from '../../transport/transport.ts'
import type { EntryParts } from './entry.ts'
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

/** A call as an entry; `name` is empty for a batch. */
export interface FoundOperation {
  readonly name: OperationName | ''
  readonly parts: EntryParts
}

/**
 * The operation that a call is; undefined = it cannot travel on a session.
 * @throws BlobwireError `invalid_argument` naming the field
 */
export function operationOf(call: Call, map: OperationMap): FoundOperation | undefined {
  if (call.headers !== map.headers) return undefined
  const name = names.get(call.method)
  if (name === undefined) return call.method === methods.batchOperations ? batchOf(call, map) : undefined
  const { repository, ...request } = call.request as { repository: string; content?: unknown }
  const bytes = estimateBytes(request, map.codec.name === 'json')
  const operations = [prepare(map.codec, name, request)]
  return { name, parts: { repository, call, operations, bytes, alone: slow.has(name) } }
}

function prepare(codec: Codec, name: OperationName, request: object): PreparedOperation {
  return { [name]: codec.prepare<ShapeName>(operationShapes[name], request) }
}

function batchOf(call: Call, map: OperationMap): FoundOperation | undefined {
  const { repository, operations, atomic } = call.request as Messages['BatchOperationsRequest']
  if (atomic || operations.length === 0) return undefined
  let bytes = 0
  const prepared = operations.map((operation) => {
    const name = Object.keys(operation)[0] as OperationName
    bytes += estimateBytes(operation[name], map.codec.name === 'json')
    return prepare(map.codec, name, operation[name] as object)
  })
  return { name: '', parts: { repository, call, operations: prepared, bytes, alone: true } }
}
