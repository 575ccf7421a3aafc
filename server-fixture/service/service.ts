/** The rules of the service, once for both listeners. */
import { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits, type Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { type RepositoryInfo, RepositoryReplaced, type Store } from '../store/store.ts'
import { applyIn, keyCaller, keyOf, operationCaller, operationOf, writeOf } from './apply.ts'
import { type OperationCaller, runBatch } from './batch.ts'
import { BranchQueues } from './branch-queue.ts'
import { capabilitiesOf } from './capabilities.ts'
import { type CallContext, requestIdOfOperation, throwIfAbandoned } from './context.ts'
import { operationError, toBlobwireError } from './error-detail.ts'
import { InOrder } from './in-order.ts'
import { isOperation, type OperationName, operations } from './operations.ts'
import type { PageBounds } from './pace.ts'
import { ReadCaches } from './read-caches.ts'
import { again, unlessReplaced } from './replaced.ts'
import {
  authorize,
  authorizeChange,
  authorizeCreation,
  checkName,
  createRepository,
  deleteRepository,
  listRepositories,
  openRepository,
  updateRepository
} from './repositories.ts'
import { RequestKeys, type WriteKey } from './request-keys.ts'
import { Transfers } from './transfers.ts'
import type { IncomingUpload, OutgoingBlob, SessionBatch, UploadOpening, VcsService } from './vcs-service.ts'
import { defaultWatchBounds, type WatchBounds } from './watch/watch-bounds.ts'
import type { WatchSink } from './watch/watcher.ts'
import { type OpenWatch, Watches } from './watch/watches.ts'
import { Workspace } from './workspace.ts'

/** How a service is made. */
export interface ServiceOptions {
  readonly limits?: Partial<Limits>
  readonly serverVersion: string
  /** @default defaultPageBounds */
  readonly pageBounds?: PageBounds
  /** @default defaultWatchBounds */
  readonly watches?: Partial<WatchBounds> | undefined
  /** Called for unexpected errors, which clients see as `internal`. */
  readonly onInternalError: (error: unknown, requestId: string) => void
}

type Results = Messages['OperationResult'][]
type Handler = (request: never, context: CallContext) => Promise<object>

/** The service on top of a store. */
export class Service implements VcsService {
  readonly limits: Limits
  readonly #store: Store
  /** Commits that wait for their branch. */
  readonly commits: BranchQueues = new BranchQueues()
  readonly #caches = new ReadCaches()
  /** The first call of a repository may take longer to open it; commits queue in the order in which calls came. */
  readonly #opening = new InOrder()
  readonly #keying = new InOrder()
  readonly #keys: RequestKeys
  readonly #transfers: Transfers
  readonly watches: Watches
  readonly #options: ServiceOptions
  readonly #handlers: Readonly<Record<string, Handler>>
  #endpoints: Messages['TransportEndpoint'][] = []

  constructor(store: Store, options: ServiceOptions) {
    this.limits = { ...defaultLimits, ...options.limits }
    this.#store = store
    this.#keys = new RequestKeys(store)
    const report = (error: unknown, requestId: string) => this.#report(error, requestId)
    this.#transfers = new Transfers({
      store,
      limits: this.limits,
      report,
      open: (repository, context) => this.#open(repository, false, context)
    })
    this.watches = new Watches({ store, bounds: { ...defaultWatchBounds, ...options.watches }, report })
    this.#options = options
    this.#handlers = {
      CreateRepository: (request: Messages['CreateRepositoryRequest'], context) => {
        authorizeCreation(context, request.repository)
        throwIfAbandoned(context)
        return createRepository(store, request)
      },
      DeleteRepository: (request: Messages['DeleteRepositoryRequest'], context) => {
        authorizeChange(context, request.repository)
        throwIfAbandoned(context)
        return deleteRepository(store, request)
      },
      UpdateRepository: (request: Messages['UpdateRepositoryRequest'], context) => {
        authorizeChange(context, request.repository)
        throwIfAbandoned(context)
        return updateRepository(store, request)
      },
      Apply: (request, context) => again(() => this.#apply(request, context)),
      ListRepositories: (request, context) =>
        listRepositories(store, request, { context, pageBounds: options.pageBounds }),
      BatchOperations: async (request: Messages['BatchOperationsRequest'], context) => ({
        results: await again(async () => this.#batch(request, context))
      }),
      ...this.#transfers.handlers,
      GetCapabilities: async () => this.capabilities()
    }
  }

  /** Sets the endpoints that the capabilities name, once the listeners are open. */
  announce(endpoints: Messages['TransportEndpoint'][]): void {
    this.#endpoints = endpoints
  }

  upload(opening: UploadOpening, context: CallContext): Promise<IncomingUpload> {
    return this.#transfers.upload(opening, context)
  }

  download(request: Messages['DownloadBlobRequest'], context: CallContext): Promise<OutgoingBlob> {
    return this.#transfers.download(request, context)
  }

  watch(request: Messages['WatchRefsRequest'], sink: WatchSink, context: CallContext): OpenWatch {
    return this.watches.open(request, sink, context)
  }

  capabilities(): Messages['GetCapabilitiesResponse'] {
    const { serverVersion } = this.#options
    return capabilitiesOf(this.#store, { serverVersion, limits: this.limits, transports: this.#endpoints })
  }

  async call(method: string, request: object, context: CallContext): Promise<object> {
    try {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
      if (handler) return await handler(request as never, context)
      const name = method.charAt(0).toLowerCase() + method.slice(1)
      if (isOperation(name)) return await again(() => this.#operation(name, request as never, context))
    } catch (error) {
      throw this.#report(error, context.requestId)
    }
    const isKnown = Object.values(methods).some((known) => known.name === method)
    const message = `${method} is not ${isKnown ? 'implemented' : 'a method of this service'}`
    throw new BlobwireError({ code: 'unimplemented', message })
  }

  sessionBatch(batch: SessionBatch, context: CallContext): Promise<Results> | Results {
    const refuse = (error: unknown) => {
      if (error instanceof RepositoryReplaced) return this.sessionBatch(batch, context)
      throw this.#report(error, context.requestId)
    }
    try {
      const results = this.#batch({ ...batch, atomic: false }, context)
      return results instanceof Promise ? results.catch(refuse) : results
    } catch (error) {
      return refuse(error)
    }
  }

  #report(error: unknown, requestId: string): BlobwireError {
    if (!(error instanceof BlobwireError)) this.#options.onInternalError(error, requestId)
    return toBlobwireError(error)
  }

  #open(repository: string, atomic: boolean, context: CallContext): Promise<Workspace> | Workspace {
    const found = openRepository(this.#store, repository)
    if (!(found instanceof Promise) && this.#opening.isIdle(repository)) return this.#workspace(found, atomic, context)
    const opened = this.#opening.after(repository, Promise.resolve(found))
    return opened.then((info) => this.#workspace(info, atomic, context))
  }

  #workspace(repository: RepositoryInfo, atomic: boolean, caller: CallContext): Workspace {
    const { limits } = this
    const { pageBounds } = this.#options
    const shared = { store: this.#store, limits, commits: this.commits, caches: this.#caches, pageBounds }
    return new Workspace({ ...shared, repository, caller }, atomic)
  }

  /** Rights come first: a key tells nothing to those who may not do what was done under it. */
  async #apply(request: Messages['ApplyRequest'], context: CallContext): Promise<Messages['ApplyResponse']> {
    const { repository } = request
    const name = writeOf(request)
    if (name === 'createRepository') authorizeCreation(context, repository)
    else authorizeChange(context, repository)
    const made = keyOf(this.#store, request, keyCaller(context))
    const key = await this.#keying.after(repository, made)
    return { [name]: await this.#keys.run(repository, key, () => this.#write(request, key, context)) }
  }

  async #write(request: Messages['ApplyRequest'], key: WriteKey, context: CallContext): Promise<object> {
    const {
      repository,
      createRepository: creation,
      updateRepository: change,
      deleteRepository: deletion,
      batch
    } = request
    if (creation ?? change ?? deletion) await this.#keys.throwIfRemembered(repository, key)
    if (creation) return createRepository(this.#store, { ...creation, repository }, key)
    if (change) return updateRepository(this.#store, { ...change, repository }, key)
    if (deletion) return deleteRepository(this.#store, { repository }, key)
    if (batch) return { results: await this.#batch({ ...batch, repository }, context, key) }
    const workspace = await this.#open(repository, false, context)
    const { commitFiles, updateRefs } = await unlessReplaced(workspace, applyIn(workspace, request, key))
    return (commitFiles ?? updateRefs) as object
  }

  async #operation(name: OperationName, request: { repository: string }, context: CallContext): Promise<object> {
    const { access, run } = operations[name]
    checkName(request.repository)
    authorize(context, access, request.repository)
    const workspace = await this.#open(request.repository, false, context)
    const work = async () => {
      const response = await run(workspace, request)
      await workspace.finish()
      return response
    }
    return unlessReplaced(workspace, work())
  }

  /** Frames of many repositories have a batch for nearly every operation: what can be done at once waits for nothing. */
  #batch(
    { repository, operations, atomic }: SessionBatch & { atomic: boolean },
    context: CallContext,
    key?: WriteKey
  ): Promise<Results> | Results {
    checkName(repository)
    authorize(context, 'read', repository)
    const run = (workspace: Workspace) => this.#runBatch(workspace, operations, { context, key })
    const recall = (error: unknown) => {
      if (!operations.some(({ apply }) => apply !== undefined)) throw error
      return Promise.all(operations.map(({ apply }) => this.#recallOperation(repository, apply, { context, error })))
    }
    let workspace: Promise<Workspace> | Workspace
    try {
      workspace = this.#open(repository, atomic, context)
    } catch (error) {
      return recall(error)
    }
    return workspace instanceof Promise ? workspace.then(run, recall) : run(workspace)
  }

  #runBatch(
    workspace: Workspace,
    list: readonly Messages['Operation'][],
    { context, key }: { context: CallContext; key: WriteKey | undefined }
  ): Promise<Results> | Results {
    const { repository } = workspace.repository
    return runBatch(workspace, list, {
      key,
      beforeOperation: context.beforeOperation,
      apply: (within, operation, { index, throwIfCancelled }) =>
        this.#applyOperation(within, operation, { context, index, throwIfCancelled }),
      authorize: (name) => authorize(context, operations[name].access, repository),
      describe: (error, index) => {
        const requestId = requestIdOfOperation(context, index)
        return operationError(this.#report(error, requestId), requestId)
      }
    })
  }

  /** An operation of a batch for a repository that is gone: only a remembered one has an answer. */
  async #recallOperation(
    repository: string,
    operation: Messages['KeyedOperation'] | undefined,
    { context, error }: { context: CallContext; error: unknown }
  ): Promise<Messages['OperationResult']> {
    try {
      if (operation === undefined) throw error
      authorize(context, 'write', repository)
      const name = operationOf(operation)
      const write = { repository, requestKey: operation.requestKey, [name]: operation[name] }
      const key = await keyOf(this.#store, write, keyCaller(context))
      const first = await this.#keys.recall(repository, key)
      if (first === undefined) throw error
      return { apply: { [name]: first } }
    } catch (exception) {
      return { error: operationError(this.#report(exception, context.requestId), context.requestId) }
    }
  }

  async #applyOperation(
    workspace: Workspace,
    operation: Messages['KeyedOperation'],
    caller: { readonly context: CallContext } & OperationCaller
  ): Promise<Messages['KeyedResult']> {
    const { repository } = workspace.repository
    const { requestKey, timeoutMs } = operation
    const name = operationOf(operation)
    const write = { repository, requestKey, [name]: operation[name] }
    const made = keyOf(this.#store, write, operationCaller(caller, timeoutMs))
    // Making a key may ask the store, whose answers come in any order: commits keep theirs.
    const key = await this.#keying.after(repository, made)
    const response = await this.#keys.run(repository, key, async () => {
      const result = await applyIn(workspace, operation, key)
      return result[name] as object
    })
    return { [name]: response }
  }
}
