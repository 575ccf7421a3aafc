/** Which contents do not go with their message as they are. */
import { isSource, type UploadSource } from '../transfer/source-kinds.ts'
import type { Request } from './blob-requests.ts'
import type { Change, Changes, Path } from './inputs.ts'
import type { CallMessages } from './interceptor.ts'
import type { Operation, OperationInputs, OperationName } from './operations.ts'
import type { RepositoryContext } from './repository-context.ts'

/** The content that a change puts; undefined = it puts none. */
export function contentOfChange(change: Change): UploadSource | undefined {
  if (typeof change === 'string' || change instanceof Uint8Array || isSource(change)) return change
  if (change === null) return undefined
  if ('content' in change && change.content !== undefined) return change.content
  return 'file' in change && change.file !== undefined ? { file: change.file } : undefined
}

/** Whether a content is a source, or has too many bytes for a message. */
export function isApart(content: UploadSource, maxInlineBytes: number): boolean {
  // A character has at most three bytes in UTF-8.
  if (typeof content === 'string') return content.length * 3 > maxInlineBytes
  return !(content instanceof Uint8Array) || content.length > maxInlineBytes
}

/** Whether `withContents` has something to do for the changes. */
export function haveContentsApart(changes: Changes, maxInlineBytes: number): boolean {
  return listOf(changes).some(([, change]) => {
    const content = contentOfChange(change)
    return content !== undefined && isApart(content, maxInlineBytes)
  })
}

/** Changes as pairs. */
export function listOf(changes: Changes): [Path, Change][] {
  return changes instanceof Map ? [...changes] : Object.entries(changes)
}

/** The operation with a content that may be too large, as its input. */
export function largeBlobOf(operation: Operation): OperationInputs['storeObject'] | undefined {
  const { storeBlob, storeObject } = operation
  if (storeBlob !== undefined) return { kind: 'blob', content: storeBlob.content }
  return storeObject?.kind === 'blob' ? storeObject : undefined
}

/** Whether an operation has a content that does not fit its message. */
export function isOperationApart(operation: Operation, maxInlineBytes: number): boolean {
  if (operation.commitFiles !== undefined) return haveContentsApart(operation.commitFiles.changes, maxInlineBytes)
  return (largeBlobOf(operation)?.content.length ?? 0) > maxInlineBytes
}

/** Whether a call may move large content, so that it has no time limit but the caller's. */
export function movesLargeContent({ invoker }: RepositoryContext, name: string, input: object): boolean {
  if (name === 'upload') return true
  const { maxInlineBytes } = invoker.caches.limits
  const operations =
    name === 'batch' ? (input as CallMessages['batch']).operations : [{ [name]: input } as unknown as Operation]
  return operations.some((operation) => isOperationApart(operation, maxInlineBytes))
}

/** No server has a limit below this, so that smaller contents need no look at it. */
const surelyInlineBytes = 64 * 1024

/** The content of a blob that is stored, where it may be too large for a message. */
export function largeContentOf(name: OperationName, request: object): Uint8Array | undefined {
  if (name !== 'storeBlob' && name !== 'storeObject') return undefined
  const { content, kind = 'blob' } = request as Request<'storeObject'>
  return content !== undefined && content.length > surelyInlineBytes && kind === 'blob' ? content : undefined
}
