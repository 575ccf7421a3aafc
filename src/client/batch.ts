/** Explicit batches: splits operations into requests, sends them, and collects the results. */

import { operationError } from '../batch/older-server.ts'
import { noResult } from '../batch/pending-operation.ts'
import { estimateBytes, halves, leftOut, splitBySize, wrongResultCount } from '../batch/split.ts'
import type { CallOptions } from '../call/call-options.ts'
import { inCallersWords, inOperation } from '../call/caller-fields.ts'
import { checkContents, isGone } from '../core/contents.ts'
import { asBlobwireError, BlobwireError, invalidArgument, moreSent, type Sent } from '../core/error.ts'
import { mayFitWhenSplit } from '../core/reasons.ts'
import { hashObject, type ObjectFormat } from '../git/oid.ts'
import { afterInput } from '../platform/schedule.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import { methods } from '../schema/methods.ts'
import { errorOfOperation } from '../transport/errors.ts'
import { isRetryable, operationsToRetry } from './batch-retry.ts'
import type { Request, RequestDefaults } from './blob-requests.ts'
import type { Operation, OperationInputs, OperationName } from './operations.ts'
import { sendParallel } from './parallel-requests.ts'
import type { RepositoryContext } from './repository-context.ts'
import { checkRequestKey, derivedKey, newRequestKey, type WriteOptions } from './request-key.ts'
import type { BatchOperations, BatchResults, OperationResult } from './results.ts'
import { prepare } from './to-request.ts'
import { verifierOf } from './verify/answers.ts'

/** Bounds of the operations in one request of such a batch on a session. */
const leastShare = 100
const mostShare = 200
/** Requests that a full run is split into. */
const sharesOfRun = 8

/** An operation with its request, and with its result when that has come. */
interface Item {
  readonly name: OperationName
  readonly request: Request<OperationName>
  readonly bytes: number
  /** Of an operation that moves refs, unless the batch is atomic. */
  requestKey: string | undefined
  result: OperationResult<object> | undefined
  /** The oid that the answer must have, where it was computed before the answer came. */
  expectedOid: string | undefined
}

/**
 * Carries out operations in as few requests as the server's limits allow; one result each, in order. Operations see the
 * effects of those before them. Atomic batches go in one request or not at all. Operations that have `results` are not sent.
 * @throws BlobwireError where a whole request failed; the operations before it may have been done
 */
export async function runBatch<const Given extends readonly Operation[]>(
  context: RepositoryContext,
  operations: BatchOperations<Given>,
  options: WriteOptions & {
    atomic?: boolean | undefined
    results?: ReadonlyMap<number, OperationResult> | undefined
  } = {}
): Promise<BatchResults<Given>> {
  const { invoker, defaults } = context
  const { atomic = false, results, ...callOptions } = options
  const remaining = invoker.shared(callOptions)
  if (!Array.isArray(operations)) throw invalidArgument('operations', 'must be a list of operations')
  const base64 = (callOptions.transport ?? invoker.transport) === 'json'
  const { requestKey = newRequestKey() } = options
  const batchKey = atomic ? undefined : requestKey
  const all = operations.map((operation, index) => toItem(operation, { index, defaults, base64, batchKey }))
  for (const [index, result] of results ?? []) (all[index] as Item).result = result
  const items = results === undefined ? all : all.filter(({ result }) => result === undefined)
  let runs = splitBySize(items, (item) => item.bytes, invoker.caches.limits)
  // Only a batch that may have to be split needs the server's own limits first.
  if (runs.length > 1) runs = splitBySize(items, (item) => item.bytes, await invoker.limits(remaining()))
  const unordered = isUnordered(items)
  if (unordered && !atomic && invoker.usesSessions) runs = runs.flatMap(inShares)
  if (atomic && runs.length > 1) throw tooLargeForOne(items.length)
  const progress: Progress = { sent: 'never', underWay: 0 }
  const send = (run: Item[]) => sendRun(context, run, { atomic, unordered, failures: 0, options: remaining, progress })
  try {
    if (unordered) await sendParallel(runs, (run) => run.reduce((sum, { bytes }) => sum + bytes, 0), send)
    else for (const run of runs) await send(run)
  } catch (error) {
    throw ofAll(error, progress)
  }
  return all.map(({ result }) => result) as BatchResults<Given>
}

interface Preparing {
  readonly index: number
  readonly defaults: RequestDefaults
  readonly base64: boolean
  /** Undefined for an atomic batch, whose operations have no keys of their own. */
  readonly batchKey: string | undefined
}

function toItem(operation: Operation, { index, defaults, base64, batchKey }: Preparing): Item {
  // It was taken over when the call was made, and has one key.
  const name = nameOf(operation)
  try {
    const request = prepare(name, (operation as unknown as OperationInputs)[name], defaults)
    const requestKey = keyOf(name, operation, { index, batchKey })
    return {
      name,
      request,
      requestKey,
      bytes: estimateBytes(request, base64),
      result: undefined,
      expectedOid: undefined
    }
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    throw inOperation(error, index, name)
  }
}

function nameOf(operation: Operation): OperationName {
  for (const name in operation) return name as OperationName
  throw invalidArgument('operations', 'must be objects with one key, such as { storeBlob: … }')
}

/** The key that the operation has, or its own of the batch. @throws BlobwireError `invalid_argument` */
function keyOf(
  name: OperationName,
  operation: Operation,
  { index, batchKey }: Pick<Preparing, 'index' | 'batchKey'>
): string | undefined {
  if (name !== 'updateRefs' && name !== 'commitFiles') return undefined
  const given = operation[name]?.requestKey
  if (given === undefined) return batchKey && derivedKey(batchKey, index)
  if (batchKey === undefined) throw invalidArgument('requestKey', 'must be in the options of an atomic batch')
  return checkRequestKey(given)
}

/** An operation as a message. */
function toOperation({ name, request, requestKey }: Item): Init<Messages['Operation']> {
  return requestKey === undefined ? { [name]: request } : { apply: { requestKey, [name]: request } }
}

function tooLargeForOne(count: number, cause?: unknown): BlobwireError {
  const message = `the ${count} operations of an atomic batch exceed one request (maxBatchOperations, maxBatchBytes)`
  return new BlobwireError({ reason: 'atomic_too_large', message, cause })
}

/** Whether the operations may run in any order: all store blobs, or all read. */
function isUnordered(items: readonly Item[]): boolean {
  return items.every(({ name }) => name === 'storeBlob') || items.every(({ name }) => methods[name].readOnly)
}

/** Splits a run so that, on a session, the server executes one share while the client writes the next. */
function inShares(run: Item[]): Item[][] {
  const size = Math.max(leastShare, Math.min(mostShare, Math.ceil(run.length / sharesOfRun)))
  return Array.from({ length: Math.ceil(run.length / size) }, (_, index) => run.slice(index * size, (index + 1) * size))
}

/** The progress of all requests of one batch. */
interface Progress {
  sent: Sent
  /** Requests without an answer. */
  underWay: number
}

/** The error of one request as the error of the batch, whose other requests may have been executed. */
function ofAll(error: unknown, { sent, underWay }: Progress): unknown {
  if (!(error instanceof BlobwireError)) return error
  const ofOthers = moreSent(sent, underWay > 0 ? 'maybe' : 'never')
  const all = moreSent(error.sent, ofOthers)
  return all === error.sent ? error : error.with({ sent: all, attempts: Math.max(1, error.attempts) })
}

interface Sending {
  readonly progress: Progress
  readonly atomic: boolean
  /** The operations may run in any order. */
  readonly unordered: boolean
  /** How often these operations have failed. */
  readonly failures: number
  readonly options: () => CallOptions
}

async function sendRun(context: RepositoryContext, run: Item[], sending: Sending): Promise<void> {
  const { invoker, repository } = context
  let response: Messages['BatchOperationsResponse']
  const { progress } = sending
  progress.underWay++
  try {
    const request = { repository, operations: run.map(toOperation), atomic: sending.atomic }
    const answer = invoker.invoke(methods.batchOperations, request, sending.options())
    if (invoker.options.verify) afterInput(() => hashAhead(run, context.defaults.objectFormat))
    response = await answer
    progress.sent = 'processed'
  } catch (error) {
    if (error instanceof BlobwireError) progress.sent = moreSent(progress.sent, error.sent)
    if (!(error instanceof BlobwireError)) throw error
    // A content went before the request was written: the operation fails alone, the others are sent without it.
    const intact = error.is('content_gone') && !sending.atomic ? run.filter(holdsContents) : run
    if (intact.length === 0) return
    if (intact.length < run.length) return sendRun(context, intact, sending)
    if (!mayFitWhenSplit(error)) throw error
    if (sending.atomic) throw run.length === 1 ? error : tooLargeForOne(run.length, error)
    const [first] = run as [Item]
    if (run.length === 1) first.result = { ok: false, error }
    else for (const half of halves(run)) await sendRun(context, half, sending)
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

/** False = the operation has failed, because its content is no longer there to be sent. */
function holdsContents(item: Item): boolean {
  try {
    checkContents(item.request)
    return true
  } catch (error) {
    item.result = { ok: false, error: asBlobwireError(error) }
    return false
  }
}

/** Sends operations that failed and may succeed again, after the wait that the retry policy asks for. */
async function sendFailed(context: RepositoryContext, run: Item[], sending: Sending): Promise<void> {
  const { invoker } = context
  const again = operationsToRetry(run, sending)
  const failed = again.filter(({ result }) => isRetryable(result?.error))
  const error = failed[0]?.result?.error
  if (error === undefined) return
  const failures = sending.failures + 1
  for (const item of again) renewKey(item, failures)
  const refusal = await invoker.mayTryAgain(error, failures, sending.options())
  if (refusal === 'retry_budget_exhausted') {
    for (const item of failed) item.result = { ok: false, error: budgetExhausted(item.result?.error as BlobwireError) }
  }
  if (refusal !== undefined) return
  try {
    await sendRun(context, again, { ...sending, failures })
  } catch (exception) {
    // The results of the first request stay valid.
    if (!(exception instanceof BlobwireError) || endsBatch.has(exception.code)) throw exception
  }
}

/** A refusal that follows from the failure of another operation is final under its key; what may succeed now is new. */
function renewKey(item: Item, failures: number): void {
  const { result, requestKey } = item
  if (requestKey === undefined || result?.error === undefined || isRetryable(result.error)) return
  item.requestKey = derivedKey(requestKey, failures)
}

/** Codes of errors that end the batch itself. */
const endsBatch = new Set(['cancelled', 'deadline_exceeded'])

function budgetExhausted(error: BlobwireError): BlobwireError {
  return error.with({ reason: 'retry_budget_exhausted', cause: error })
}

/** Computes the expected oids while the server works. */
function hashAhead(run: readonly Item[], format: ObjectFormat): void {
  for (const item of run) {
    if ((item.name !== 'storeBlob' && item.name !== 'storeObject') || item.result !== undefined) continue
    const { kind = 'blob', content = new Uint8Array(0) } = item.request as Request<'storeObject'>
    // Without its content, the answer is refused when it comes.
    if (!isGone(content)) item.expectedOid = hashObject(kind, content, format)
  }
}

function toResult(
  context: RepositoryContext,
  item: Item,
  result: Messages['OperationResult'],
  attempts: number
): OperationResult<object> {
  const { invoker } = context
  try {
    const isKeyed = item.requestKey !== undefined
    const found: Messages['OperationResult'] | undefined = isKeyed ? result.apply : result
    const response = found?.[item.name]
    if (result.error) throw operationError(errorOfOperation(result.error), item.name, isKeyed)
    if (response === undefined) throw noResult(item.name)
    const isVerified = item.expectedOid !== undefined && item.expectedOid === (response as { oid?: string }).oid
    if (!isVerified) verifierOf(item.name, invoker.options.verify)?.(item.request, response)
    invoker.caches.known.learn(item.name, context.repository, { request: item.request, response })
    return { ok: true, value: response }
  } catch (error) {
    const facts = { sent: 'processed', attempts, transport: invoker.transport } as const
    const found = inCallersWords(asBlobwireError(error), item.request)
    return { ok: false, error: found.with(facts) }
  }
}
