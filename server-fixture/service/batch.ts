/** BatchOperations: carries out the operations of a batch in order. */
import { BlobwireError, invalidArgument } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { KeyRemembered, RepositoryReplaced } from '../store/store.ts'
import { beginAtomic } from './atomic-start.ts'
import type { CallContext } from './context.ts'
import { limitExceeded, refMismatch } from './errors.ts'
import { lookAhead } from './look-ahead.ts'
import { type OperationName, operations } from './operations.ts'
import { isReplaced, mayBeReplaced, replacedIn } from './replaced.ts'
import { isStateRefusal, keyedRequest, type WriteKey } from './request-keys.ts'
import { type Joinable, joinable, WaitingWrites } from './waiting-writes.ts'
import type { Workspace } from './workspace.ts'

type Operation = Messages['Operation']
type Result = Messages['OperationResult']

/** Reads at the same time; more would only fill memory before the answer's limit is noticed. */
const readsAtOnce = 64

/** Of an operation under its own key. */
export interface OperationCaller {
  /** In the batch. */
  readonly index: number
  /** Asked again before the effect. @throws BlobwireError */
  readonly throwIfCancelled: () => void
}

/** The context of a batch. */
export interface BatchContext {
  readonly beforeOperation: CallContext['beforeOperation']
  /** The key of the whole batch, which is then atomic. */
  readonly key?: WriteKey | undefined
  /** Carries out an operation under its own key. */
  apply(
    workspace: Workspace,
    operation: Messages['KeyedOperation'],
    caller: OperationCaller
  ): Promise<Messages['KeyedResult']>
  /** @throws BlobwireError where the caller has no right to the operation */
  authorize(name: OperationName): void
  describe(error: unknown, index: number): Messages['OperationError']
}

interface Step {
  readonly name: OperationName
  readonly request: object
}

/** The name and request of an operation. @throws BlobwireError `invalid_argument` for none, or another repository */
function stepOf(operation: Operation, repository: string): Step {
  const [name] = Object.keys(operation) as OperationName[]
  if (name === undefined) throw invalidArgument('operation', `must have one of ${Object.keys(operations).join(', ')}`)
  const request = operation[name] as { repository?: string }
  const named = request.repository ?? ''
  if (named !== '' && named !== repository) {
    throw invalidArgument(
      `${name}.repository`,
      "must be empty in a batch: all operations are of the batch's repository"
    )
  }
  return { name, request }
}

/** Estimated bytes of a result in an answer. */
function contentBytes(result: Result): number {
  const { getBlob, getTree, listCommits, getCommit, listRefs, compare, getObject, getTag } = result
  if (getBlob) return (getBlob.deflated ?? getBlob.content).length
  if (getObject) return getObject.content.length
  if (getTag) return getTag.tag.message.length + getTag.tag.raw.length + 400
  const commits = listCommits?.commits ?? (getCommit?.commit ? [getCommit.commit] : [])
  return (
    sum(getTree?.entries, ({ path }) => path.length + 100) +
    sum(compare?.changes, ({ path }) => path.length + 200) +
    sum(listRefs?.refs, ({ name }) => name.length + 80) +
    sum(commits, ({ message, raw, parents }) => message.length + raw.length + parents.length * 66 + 400)
  )
}

function sum<Item>(items: readonly Item[] | undefined, sizeOf: (item: Item) => number): number {
  return items?.reduce((total, item) => total + sizeOf(item), 0) ?? 0
}

const movesRefs = (name: OperationName) => name === 'updateRefs' || name === 'commitFiles' || name === 'apply'

/** One batch that is being carried out. */
class Batch {
  readonly #workspace: Workspace
  readonly #context: BatchContext
  readonly #results: Result[] = []
  /** Operations that moved refs, for an atomic batch that fails later. */
  readonly #moved: number[] = []
  #failed = false
  /** The first failure for which another repository of the name may be the reason. */
  #doubt: unknown
  #bytes = 0

  constructor(workspace: Workspace, context: BatchContext) {
    this.#workspace = workspace
    this.#context = context
  }

  /** At once where the store is: blobs alone wait for nothing, and most frames hold nothing else. */
  run(list: readonly Operation[]): Promise<Result[]> | Result[] {
    const staged = this.#stageBlobs(list)
    if (staged < list.length || this.#workspace.atomic || this.#doubt) return this.#runFrom(staged, list)
    const stored = this.#workspace.flush()
    return stored === undefined ? this.#results : stored.then(() => this.#results)
  }

  /** The blobs at the beginning of the batch; returns their number. */
  #stageBlobs(list: readonly Operation[]): number {
    for (let index = 0; index < list.length; index++) {
      const operation = list[index] as Operation
      if (operation.storeBlob === undefined) return index
      const step = this.#prepare(index, operation)
      if (step !== undefined) this.#do(index, step)
    }
    return list.length
  }

  async #runFrom(start: number, list: readonly Operation[]): Promise<Result[]> {
    if (this.#workspace.atomic) await beginAtomic(this.#workspace, list, this.#context.key?.key)
    let reads: { index: number; step: Step }[] = []
    const waiting = new WaitingWrites()
    let lookedAt = 0
    for (let index = start; index < list.length; index++) {
      const step = this.#prepare(index, list[index] as Operation)
      if (step === undefined) continue
      const isRead = operations[step.name].access === 'read'
      if (step.name === 'storeObject' && index >= lookedAt) lookedAt = await lookAhead(this.#workspace, list, index)
      const together = this.#joinable(step)
      if (waiting.holdsUp(together)) await waiting.end()
      // Writes wait for the reads before them, and reads for writes: an operation sees the effects of earlier ones.
      if (isRead) reads.push({ index, step })
      if (reads.length > 0 && (!isRead || reads.length >= readsAtOnce)) {
        await this.#read(reads)
        reads = []
      }
      if (!isRead) {
        // Most writes are only staged here, and need no turn of the microtask queue each.
        const written = this.#write(index, step)
        if (together) waiting.add(together, written)
        else if (written !== undefined) await written
      }
    }
    if (reads.length > 0) await this.#read(reads)
    await waiting.end()
    // None of the operations has been answered: they are carried out anew on the other repository.
    if (this.#doubt && (await isReplaced(this.#workspace, this.#doubt))) throw replacedIn(this.#workspace)
    // Work that is not atomic has moved its refs already, each under its own key.
    if (this.#workspace.atomic) await this.#moveRefs()
    // A failure here fails the whole batch: none of its writes has been acknowledged yet.
    const stored = this.#workspace.flush()
    if (stored !== undefined) await stored
    return this.#results
  }

  #joinable({ name, request }: Step): Joinable | undefined {
    const joined = this.#workspace.atomic ? undefined : joinable(name, request)
    // Staged objects are stored with the move that comes next: before that, no other one may point to them.
    return joined && 'refs' in joined && this.#workspace.stagedCount > 0 ? undefined : joined
  }

  #prepare(index: number, operation: Operation): Step | undefined {
    try {
      const step = stepOf(operation, this.#workspace.repository.repository)
      if (step.name === 'apply' && this.#workspace.atomic) {
        throw invalidArgument('apply', 'must not be in an atomic batch, which has one key for all its operations')
      }
      this.#context.authorize(step.name)
      return step
    } catch (error) {
      this.#fail(index, error)
      if (Object.keys(operation).some((name) => movesRefs(name as OperationName))) this.#failed = true
      return undefined
    }
  }

  async #read(reads: readonly { index: number; step: Step }[]): Promise<void> {
    const { maxBatchBytes } = this.#workspace.limits
    const full = this.#bytes >= maxBatchBytes
    await Promise.all(reads.map(({ index, step }) => (full ? this.#refuse(index) : this.#do(index, step))))
    for (const { index } of reads) {
      const size = contentBytes(this.#results[index] as Result)
      // The first answer always fits; the client asks again for those that do not.
      if (this.#bytes > 0 && this.#bytes + size > maxBatchBytes) this.#refuse(index)
      else this.#bytes += size
    }
  }

  #refuse(index: number): void {
    const message = 'the response of this batch is full; send this operation again'
    this.#fail(index, new BlobwireError({ reason: 'batch_response_full', message }))
  }

  #write(index: number, step: Step): Promise<void> | undefined {
    const done = this.#do(index, step)
    if (!movesRefs(step.name)) return done
    return Promise.resolve(done).then(() => {
      if (this.#results[index]?.error) this.#failed = true
      else this.#moved.push(index)
    })
  }

  /** Carries out one operation; returns a promise only where the operation takes time. */
  #do(index: number, { name, request }: Step): Promise<void> | undefined {
    try {
      this.#context.beforeOperation?.(index)
      const response = name === 'apply' ? this.#apply(index, request) : operations[name].run(this.#workspace, request)
      if (response instanceof Promise) return this.#later(index, name, response)
      this.#results[index] = { [name]: response }
    } catch (error) {
      this.#fail(index, error)
    }
    return undefined
  }

  #apply(index: number, request: object): Promise<object> {
    const throwIfCancelled = () => this.#context.beforeOperation?.(index)
    return this.#context.apply(this.#workspace, request as Messages['KeyedOperation'], { index, throwIfCancelled })
  }

  async #later(index: number, name: OperationName, response: Promise<object>): Promise<void> {
    try {
      this.#results[index] = { [name]: await response }
    } catch (error) {
      this.#fail(index, error)
    }
  }

  #fail(index: number, error: unknown): void {
    if (mayBeReplaced(error) && !(this.#doubt instanceof RepositoryReplaced)) this.#doubt = error
    // With this failure, nobody gets the results.
    this.#results[index] = error instanceof RepositoryReplaced ? {} : { error: this.#context.describe(error, index) }
  }

  async #moveRefs(): Promise<void> {
    if (this.#failed) {
      this.#abort(undefined)
      return this.#rememberRefusal()
    }
    const { key } = this.#context
    try {
      const mismatches = await this.#workspace.finish(
        key && ((moves) => keyedRequest(key, { results: this.#results }, moves))
      )
      if (mismatches.length === 0) return
      this.#abort(refMismatch(mismatches))
    } catch (error) {
      if (error instanceof KeyRemembered || error instanceof RepositoryReplaced) throw error
      // The refs could not be moved; the objects are stored all the same.
      this.#abort(error)
    }
    await this.#rememberRefusal()
  }

  /** A batch that the state of the repository refused is refused for good; one that failed otherwise may be sent again. */
  async #rememberRefusal(): Promise<void> {
    const { key } = this.#context
    const { store, repository } = this.#workspace
    const isForGood = this.#results.every(({ error }) => {
      return error === undefined || isStateRefusal({ code: error.code, reason: error.detail?.reason ?? '' })
    })
    await this.#workspace.flush()
    if (key && isForGood) {
      await store.remember(repository.repository, [keyedRequest(key, { results: this.#results }, [])])
    }
  }

  /** None of the ref changes happened, so operations that seemed done have failed. */
  #abort(cause: unknown): void {
    const message = 'another ref change of this atomic batch failed; the batch changed no ref'
    const aborted = new BlobwireError({ reason: 'batch_aborted', message })
    for (const index of this.#moved) this.#fail(index, cause ?? aborted)
  }
}

/** BatchOperations. */
export function runBatch(
  workspace: Workspace,
  list: readonly Operation[],
  context: BatchContext
): Promise<Result[]> | Result[] {
  const { maxBatchOperations } = workspace.limits
  if (list.length > maxBatchOperations) throw limitExceeded('max_batch_operations', maxBatchOperations, list.length)
  return new Batch(workspace, context).run(list)
}
