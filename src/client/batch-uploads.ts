/** Contents of a batch that are no bytes, or too many for its messages: they are stored before it is sent. */
import type { CallOptions } from '../call/call-options.ts'
import { inOperation } from '../call/caller-fields.ts'
import { asBlobwireError } from '../core/error.ts'
import { ProgressMeter } from '../transfer/progress.ts'
import { runBatch } from './batch.ts'
import { withContents } from './change-contents.ts'
import { isOperationApart, largeBlobOf } from './contents-apart.ts'
import { inParallel } from './in-parallel.ts'
import { isTooLargeInline, takesUploads, uploadContent } from './large-content.ts'
import type { Operation } from './operations.ts'
import type { RepositoryContext } from './repository-context.ts'
import type { WriteOptions } from './request-key.ts'
import type { OperationResult } from './results.ts'
import { toBytes } from './take.ts'

/** Contents that are uploaded at a time. */
const maxUploads = 4

/** A batch whose large contents are stored. */
interface StoredAhead {
  readonly operations: readonly Operation[]
  /** Of the operations that are done with that. */
  readonly results: Map<number, OperationResult>
}

interface BatchOptions {
  readonly atomic: boolean
  readonly options: WriteOptions
}

/** Carries out operations whose contents may be of any size; see `runBatch`. @throws BlobwireError */
export async function runBatchOfAnySize(
  context: RepositoryContext,
  operations: readonly Operation[],
  { atomic, options }: BatchOptions
): Promise<OperationResult[]> {
  const { invoker } = context
  const { maxInlineBytes } = invoker.caches.limits
  const within = invoker.unhurried(options)
  const isLarge = operations.some((operation) => isOperationApart(operation, maxInlineBytes))
  const stored = isLarge ? await storeAhead(context, operations, { atomic, options: within() }) : undefined
  const remaining = invoker.shared(within())
  await context.fetchFormat(remaining())
  const ahead = { atomic, results: stored?.results }
  const results = [...(await runBatch(context, stored?.operations ?? operations, { ...remaining(), ...ahead }))]
  // The limit of the server is lower than is usual.
  const refused = results.flatMap(({ error }, index) => (isTooLargeInline(error) ? [index] : []))
  if (refused.length === 0 || stored !== undefined) return results
  const again = refused.map((index) => operations[index] as Operation)
  for (const [place, result] of (await storeAhead(context, again, { atomic, options: within() })).results) {
    results[refused[place] as number] = result
  }
  return results
}

/** Stores the large contents. The first that fails fails a batch that is atomic, and its own operation in others. */
async function storeAhead(
  context: RepositoryContext,
  operations: readonly Operation[],
  { atomic, options }: BatchOptions
): Promise<StoredAhead> {
  const { invoker } = context
  const canUpload = await takesUploads(context, options)
  const { maxInlineBytes } = invoker.caches.limits
  const changed = [...operations]
  const results = new Map<number, OperationResult>()
  const large = [...operations.keys()].filter((index) =>
    isOperationApart(operations[index] as Operation, maxInlineBytes)
  )
  await inParallel(large, { most: maxUploads, signal: options.signal }, async (index, signal) => {
    const operation = operations[index] as Operation
    try {
      const stored = await storeContents(context, operation, { canUpload, options: { ...options, signal } })
      if ('ok' in stored) results.set(index, stored)
      else changed[index] = stored
    } catch (error) {
      const found = asBlobwireError(error)
      const [name = ''] = Object.keys(operation)
      if (atomic || signal.aborted) throw inOperation(found, index, name)
      results.set(index, { ok: false, error: found })
    }
  })
  return { operations: changed, results }
}

/** The result of an operation that is nothing but its content, or the operation with its contents stored. */
async function storeContents(
  context: RepositoryContext,
  operation: Operation,
  { canUpload, options }: { readonly canUpload: boolean; readonly options: CallOptions }
): Promise<OperationResult | Operation> {
  const { commitFiles, storeBlob } = operation
  if (commitFiles !== undefined) {
    const meter = new ProgressMeter(context.invoker.clock, undefined, 'upload')
    const changes = await withContents(context, commitFiles.changes, { options, meter })
    return { commitFiles: { ...commitFiles, changes } }
  }
  // A server without uploads refuses it in the batch.
  if (!canUpload) return operation
  const content = toBytes('content', largeBlobOf(operation)?.content ?? '')
  const value = await uploadContent(context, content, options)
  return { ok: true, value: storeBlob === undefined ? { ...value, warnings: [] } : value }
}
