import { noResult } from '../batch/pending-operation.ts'
import { estimateBytes, halves, leftOut, splitBySize, wrongResultCount } from '../batch/split.ts'
import type { CallOptions } from '../call/call-options.ts'
import { BlobwireError, invalidArgument, moreSent, type Sent } from '../core/error.ts'
import { mayFitWhenSplit } from '../core/reasons.ts'
import { hashObject, type ObjectFormat } from '../git/oid.ts'
import { afterInput } from '../platform/schedule.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { errorOfOperation } from '../transport/errors.ts'
import { isRetryable, operationsToRetry, splitRepeatedMoves } from './batch-retry.ts'
import type { CallInvoker } from './call-invoker.ts'
import type { Operation, OperationInputs, OperationName } from './inputs.ts'
import type { BatchOperations, BatchResults, OperationResult } from './results.ts'
import { prepare, type Request, type RequestDefaults } from './to-request.ts'
import { verifierOf } from './verify/answers.ts'

/** Requests of one batch under way at the same time, where the order of operations does not matter. */
const maxParallel = 8

/** Operations in a share of such a batch, where it travels on a session. */
const leastShare = 100
const mostShare = 200

/** An operation on its way: what was asked, and where its result belongs. */
interface Item {
  readonly name: OperationName
  readonly request: Request<OperationName>
  readonly bytes: number
  result: OperationResult<object> | undefined
  /** The oid that the answer must name, as far as it has been computed before the answer came. */
  expectedOid: string | undefined
}

/** What a batch is carried out with. */
export interface BatchContext {
  readonly invoker: CallInvoker
  readonly repository: string
  readonly defaults: RequestDefaults
}

/**
 * Carries out operations in as few requests as the server's limits allow; one result each, in order. Operations see the
 * effects of those before them. Atomic batches go in one request or not at all.
 * @throws BlobwireError where a whole request failed; the operations before it may have been done
 */
export async function runBatch<const Given extends readonly Operation[]>(
  context: BatchContext,
  operations: BatchOperations<Given>,
  options: CallOptions & { atomic?: boolean | undefined } = {}
): Promise<BatchResults<Given>> {
  const { invoker, defaults } = context
  const { atomic = false, ...callOptions } = options
  const remaining = invoker.shared(callOptions)
  if (!Array.isArray(operations)) throw invalidArgument('operations', 'must be a list of operations')
  const base64 = (callOptions.transport ?? invoker.transport) === 'json'
  const items = operations.map((operation, index) => toItem(operation, { index, defaults, base64 }))
  let runs = splitBySize(items, (item) => item.bytes, invoker.caches.limits)
  // Only a batch that may have to be split needs the server's own limits first.
  if (runs.length > 1) runs = splitBySize(items, (item) => item.bytes, await invoker.limits(remaining()))
  if (!atomic) runs = runs.flatMap(splitRepeatedMoves)
  const unordered = isUnordered(items)
  if (unordered && !atomic && invoker.usesSessions) runs = runs.flatMap(inShares)
  if (atomic && runs.length > 1) throw tooLargeForOne(items.length)
  const progress: Progress = { sent: 'never', underWay: 0 }
  const send = (run: Item[]) => sendRun(context, run, { atomic, unordered, failures: 0, options: remaining, progress })
  try {
    if (unordered) await inParallel(runs, send)
    else for (const run of runs) await send(run)
  } catch (error) {
    throw ofAll(error, progress)
  }
  return items.map(({ result }) => result) as BatchResults<Given>
}

function toItem(
  operation: Operation,
  { index, defaults, base64 }: { index: number; defaults: RequestDefaults; base64: boolean }
): Item {
  const names = typeof operation === 'object' && operation !== null ? Object.keys(operation) : []
  const name = names[0] as OperationName
  if (names.length !== 1)
    throw invalidArgument(`operations[${index}]`, 'must be an object with one key, such as { storeBlob: … }')
  try {
    const request = prepare(name, (operation as unknown as OperationInputs)[name], defaults)
    return { name, request, bytes: estimateBytes(request, base64), result: undefined, expectedOid: undefined }
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    throw error.with({ message: `operations[${index}]: ${error.message}` })
  }
}

function tooLargeForOne(count: number, cause?: unknown): BlobwireError {
  const message = `the ${count} operations of an atomic batch exceed one request (maxBatchOperations, maxBatchBytes)`
  return new BlobwireError({ reason: 'atomic_too_large', message, cause })
}

/** Storing blobs alone, or reading alone, may be done in any order. */
function isUnordered(items: readonly Item[]): boolean {
  return items.every(({ name }) => name === 'storeBlob') || items.every(({ name }) => methods[name].readOnly)
}

/** In a session, the server works on one share while the next is being written. */
function inShares(run: Item[]): Item[][] {
  const size = Math.max(leastShare, Math.min(mostShare, Math.ceil(run.length / maxParallel)))
  return Array.from({ length: Math.ceil(run.length / size) }, (_, index) => run.slice(index * size, (index + 1) * size))
}

async function inParallel(runs: Item[][], send: (run: Item[]) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let run = runs[next++]; run !== undefined; run = runs[next++]) await send(run)
  }
  await Promise.all(Array.from({ length: Math.min(maxParallel, runs.length) }, worker))
}

/** How far the requests of one batch have got. */
interface Progress {
  sent: Sent
  /** Requests without an answer. */
  underWay: number
}

/** The error of one request as that of the batch, other requests of which may have been carried out. */
function ofAll(error: unknown, { sent, underWay }: Progress): unknown {
  if (!(error instanceof BlobwireError)) return error
  const ofOthers = moreSent(sent, underWay > 0 ? 'maybe' : 'never')
  const all = moreSent(error.sent, ofOthers)
  return all === error.sent ? error : error.with({ sent: all, attempts: Math.max(1, error.attempts) })
}

interface Sending {
  readonly progress: Progress
  readonly atomic: boolean
  /** Its operations may be done in any order. */
  readonly unordered: boolean
  /** How often these operations have failed. */
  readonly failures: number
  readonly options: () => CallOptions
}

async function sendRun(context: BatchContext, run: Item[], sending: Sending): Promise<void> {
  const { invoker, repository } = context
  const operations = run.map(({ name, request }) => ({ [name]: request })) as Init<Messages['Operation']>[]
  let response: Messages['BatchOperationsResponse']
  const { progress } = sending
  progress.underWay++
  try {
    const request = { repository, operations, atomic: sending.atomic }
    const answer = invoker.invoke(methods.batchOperations, request, sending.options())
    if (invoker.options.verify) afterInput(() => hashAhead(run, context.defaults.objectFormat))
    response = await answer
    progress.sent = 'processed'
  } catch (error) {
    if (error instanceof BlobwireError) progress.sent = moreSent(progress.sent, error.sent)
    if (!(error instanceof BlobwireError && mayFitWhenSplit(error)) || run.length === 1) throw error
    if (sending.atomic) throw tooLargeForOne(run.length, error)
    for (const half of halves(run)) await sendRun(context, half, sending)
    return
  } finally {
    progress.underWay--
  }
  if (response.results.length !== run.length) throw wrongResultCount(run.length, response.results.length)
  run.forEach((item, index) => {
    item.result = toResult(context, item, response.results[index] as Messages['OperationResult'], sending.failures + 1)
  })
  const again = leftOut(run, (_item, index) => response.results[index]?.error)
  if (again.length > 0 && !sending.atomic) await sendRun(context, again, sending)
  await sendFailed(context, run, sending)
}

/** Sends again what failed and may succeed, once its time has come. */
async function sendFailed(context: BatchContext, run: Item[], sending: Sending): Promise<void> {
  const { invoker } = context
  const again = operationsToRetry(run, sending)
  const failed = again.filter(({ result }) => isRetryable(result?.error))
  const error = failed[0]?.result?.error
  if (error === undefined) return
  const failures = sending.failures + 1
  const refusal = await invoker.mayTryAgain(error, failures, sending.options())
  if (refusal === 'retry_budget_exhausted') {
    for (const item of failed) item.result = { ok: false, error: budgetExhausted(item.result?.error as BlobwireError) }
  }
  if (refusal !== undefined) return
  try {
    await sendRun(context, again, { ...sending, failures })
  } catch (exception) {
    // What was done before is no less done: each operation keeps the result that it has.
    if (!(exception instanceof BlobwireError) || endsBatch.has(exception.code)) throw exception
  }
}

/** The batch itself is over. */
const endsBatch = new Set(['cancelled', 'deadline_exceeded'])

function budgetExhausted(error: BlobwireError): BlobwireError {
  return error.with({ reason: 'retry_budget_exhausted', cause: error })
}

/** Computes, while the server works, what its answers are held against. */
function hashAhead(run: readonly Item[], format: ObjectFormat): void {
  for (const item of run) {
    if (item.name !== 'storeBlob' || item.result !== undefined) continue
    const { content } = item.request as Request<'storeBlob'>
    item.expectedOid = hashObject('blob', content ?? new Uint8Array(0), format)
  }
}

function toResult(
  context: BatchContext,
  item: Item,
  result: Messages['OperationResult'],
  attempts: number
): OperationResult<object> {
  const { invoker } = context
  try {
    const response = result[item.name]
    if (result.error) throw errorOfOperation(result.error)
    if (response === undefined) throw noResult(item.name)
    const isVerified = item.expectedOid !== undefined && item.expectedOid === result.storeBlob?.oid
    if (!isVerified) verifierOf(item.name, invoker.options.verify)?.(item.request, response)
    invoker.caches.known.learn(item.name, context.repository, { request: item.request, response })
    return { ok: true, value: response }
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    return { ok: false, error: error.with({ sent: 'processed', attempts, transport: invoker.transport }) }
  }
}
