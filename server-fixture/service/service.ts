/** The rules of the service, once for both listeners. */
import { BlobwireError } from '../../src/core/error.ts'
import { defaultLimits, type Limits } from '../../src/schema/default-limits.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Store } from '../store/store.ts'
import { runBatch } from './batch.ts'
import { BranchQueues } from './branch-queue.ts'
import type { CallContext } from './context.ts'
import { operationError, toBlobwireError } from './error-detail.ts'
import { InOrder } from './in-order.ts'
import { isOperation, type OperationName, operations } from './operations.ts'
import {
  authorize,
  checkName,
  createRepository,
  deleteRepository,
  listRepositories,
  openRepository
} from './repositories.ts'
import type { SessionBatch, VcsService } from './vcs-service.ts'
import { Workspace } from './workspace.ts'

/** How a service is made. */
export interface ServiceOptions {
  readonly limits?: Partial<Limits>
  readonly serverVersion: string
  /** Called for unexpected errors, which clients see as `internal`. */
  readonly onInternalError: (error: unknown, requestId: string) => void
}

type Handler = (request: never, context: CallContext) => Promise<object>

/** The service on top of a store. */
export class Service implements VcsService {
  readonly limits: Limits
  readonly #store: Store
  readonly #commits = new BranchQueues()
  /** The first call of a repository may take longer to open it; commits queue in the order in which calls came. */
  readonly #opening = new InOrder()
  readonly #options: ServiceOptions
  readonly #handlers: Readonly<Record<string, Handler>>
  #endpoints: Messages['TransportEndpoint'][] = []

  constructor(store: Store, options: ServiceOptions) {
    this.limits = { ...defaultLimits, ...options.limits }
    this.#store = store
    this.#options = options
    this.#handlers = {
      CreateRepository: (request, context) => createRepository(store, request, context),
      DeleteRepository: (request, context) => deleteRepository(store, request, context),
      ListRepositories: (request, context) => listRepositories(store, request, context),
      BatchOperations: async (request: Messages['BatchOperationsRequest'], context) => ({
        results: await this.#batch(request, context)
      }),
      GetCapabilities: async () => this.capabilities()
    }
  }

  /** Sets the endpoints that the capabilities name, once the listeners are open. */
  announce(endpoints: Messages['TransportEndpoint'][]): void {
    this.#endpoints = endpoints
  }

  capabilities(): Messages['GetCapabilitiesResponse'] {
    return {
      serverVersion: this.#options.serverVersion,
      transports: this.#endpoints,
      limits: this.limits,
      codecs: ['application/json', 'application/msgpack'],
      compressors: ['gzip'],
      objectFormats: ['sha1', 'sha256'],
      atomic: true,
      resume: false,
      session: true,
      requestKeySeconds: this.#store.requestKeySeconds
    }
  }

  async call(method: string, request: object, context: CallContext): Promise<object> {
    try {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
      if (handler) return await handler(request as never, context)
      const name = method.charAt(0).toLowerCase() + method.slice(1)
      if (isOperation(name)) return await this.#operation(name, request as { repository: string }, context)
    } catch (error) {
      throw this.#report(error, context)
    }
    const isKnown = Object.values(methods).some((known) => known.name === method)
    const message = `${method} is not ${isKnown ? 'implemented' : 'a method of this service'}`
    throw new BlobwireError({ code: 'unimplemented', message })
  }

  async sessionBatch(batch: SessionBatch, context: CallContext): Promise<Messages['OperationResult'][]> {
    try {
      return await this.#batch({ ...batch, atomic: false }, context)
    } catch (error) {
      throw this.#report(error, context)
    }
  }

  #report(error: unknown, { requestId }: CallContext): BlobwireError {
    if (!(error instanceof BlobwireError)) this.#options.onInternalError(error, requestId)
    return toBlobwireError(error)
  }

  async #open(repository: string, atomic: boolean, { signal }: CallContext): Promise<Workspace> {
    const info = await this.#opening.after(repository, openRepository(this.#store, repository))
    const { limits } = this
    return new Workspace({ store: this.#store, repository: info, limits, signal, commits: this.#commits }, atomic)
  }

  async #operation(name: OperationName, request: { repository: string }, context: CallContext): Promise<object> {
    const { access, run } = operations[name]
    checkName(request.repository)
    authorize(context, access, request.repository)
    const workspace = await this.#open(request.repository, false, context)
    const response = await run(workspace, request)
    await workspace.finish()
    return response
  }

  async #batch(
    { repository, operations: list, atomic }: SessionBatch & { atomic: boolean },
    context: CallContext
  ): Promise<Messages['OperationResult'][]> {
    checkName(repository)
    authorize(context, 'read', repository)
    const workspace = await this.#open(repository, atomic, context)
    return await runBatch(workspace, list, {
      beforeOperation: context.beforeOperation,
      authorize: (name) => authorize(context, operations[name].access, repository),
      describe: (error) => operationError(this.#report(error, context), context.requestId)
    })
  }
}
