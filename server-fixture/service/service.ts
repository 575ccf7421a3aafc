import { BlobwireError } from '../../src/core/error.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Faults } from '../faults/faults.ts'
import type { Store } from '../store/store.ts'
import { runBatch } from './batch.ts'
import type { Context, Principal } from './context.ts'
import { errorDetail, toBlobwireError } from './error-detail.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { isOperation, operations } from './operations.ts'
import {
  authorize,
  checkName,
  createRepository,
  deleteRepository,
  listRepositories,
  openRepository
} from './repositories.ts'
import { Workspace } from './workspace.ts'

/** What a service is made with. */
export interface ServiceOptions {
  readonly limits?: Partial<Limits>
  readonly serverVersion: string
  /** What goes wrong on command. */
  readonly faults?: Faults | undefined
  /** Called for what the service itself did not foresee. */
  readonly onFailure: (error: unknown, requestId: string) => void
}

/** What one frame of a session brings along. */
export interface FrameRules {
  /** Aborts when nobody waits for any of its answers. */
  readonly signal: AbortSignal
  readonly requestId: string
  /** Whether the operation with this place in the frame was cancelled. */
  readonly isCancelled: (index: number) => boolean
}

const nobody: Principal = { may: () => false }

/** Operations that fail on command, by their place. */
type Failing = ReadonlyMap<number, BlobwireError>

function throwAny(failing: Failing): undefined {
  for (const error of failing.values()) throw error
}

/** The RPC of an operation. */
function rpcOf(operation: Messages['Operation']): string {
  const [name = ''] = Object.keys(operation)
  return name.charAt(0).toUpperCase() + name.slice(1)
}

type Handler = (request: never, context: Context) => Promise<object>

/** The rules of the service, once, for every door. */
export class Service {
  readonly limits: Limits
  readonly #store: Store
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
      BatchOperations: (request, context) => this.#batch(request, context),
      GetCapabilities: async () => this.capabilities()
    }
  }

  /** Tells callers where the doors are, once they are open. */
  announce(endpoints: Messages['TransportEndpoint'][]): void {
    this.#endpoints = endpoints
  }

  /** GetCapabilities. */
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
      session: true
    }
  }

  /**
   * Carries out one call of a unary method, by its name in the proto (`StoreBlob`); the request has been checked against
   * the schema.
   * @throws BlobwireError and nothing else
   */
  async call(method: string, request: object, context: Context): Promise<object> {
    const { faults } = this.#options
    // The operations of a batch are asked about where they are carried out.
    if (faults === undefined || method === methods.batchOperations.name) return this.#call(method, request, context)
    const work = (failing: Failing) => throwAny(failing) ?? this.#call(method, request, context)
    return faults.around([method], work, context)
  }

  async #call(method: string, request: object, context: Context): Promise<object> {
    try {
      const handler = Object.hasOwn(this.#handlers, method) ? this.#handlers[method] : undefined
      if (handler) return await handler(request as never, context)
      const name = method.charAt(0).toLowerCase() + method.slice(1)
      if (isOperation(name)) return await this.#one(name, request as { repository: string }, context)
    } catch (error) {
      throw this.#described(error, context)
    }
    const known = Object.values(methods).some((known) => known.name === method)
    const message = `${method} is not ${known ? 'served yet' : 'a method of this service'}`
    throw new BlobwireError({ code: 'unimplemented', message })
  }

  #described(error: unknown, context: Context): BlobwireError {
    if (!(error instanceof BlobwireError)) this.#options.onFailure(error, context.requestId)
    return toBlobwireError(error)
  }

  async #open(repository: string, atomic: boolean, { signal }: Context): Promise<Workspace> {
    const info = await openRepository(this.#store, repository)
    return new Workspace({ store: this.#store, repository: info, limits: this.limits, signal }, atomic)
  }

  async #one(name: Parameters<typeof isOperation>[0], request: { repository: string }, context: Context) {
    const { access, run } = operations[name as keyof typeof operations]
    checkName(request.repository)
    authorize(context, access, request.repository)
    const workspace = await this.#open(request.repository, false, context)
    const response = await run(workspace, request)
    await workspace.finish()
    return response
  }

  async #batch(
    request: Messages['BatchOperationsRequest'],
    context: Context,
    isCancelled?: (index: number) => boolean
  ): Promise<Messages['BatchOperationsResponse']> {
    const { faults } = this.#options
    if (faults === undefined) return this.#runBatch(request, context, isCancelled)
    const whole = isCancelled ? methods.session.name : methods.batchOperations.name
    const names = [...request.operations.map(rpcOf), whole]
    const work = (failing: Failing) => {
      const error = failing.get(request.operations.length)
      if (error) throw error
      return this.#runBatch(request, context, isCancelled, failing)
    }
    return faults.around(names, work, context)
  }

  async #runBatch(
    request: Messages['BatchOperationsRequest'],
    context: Context,
    isCancelled: ((index: number) => boolean) | undefined,
    failing?: Failing
  ): Promise<Messages['BatchOperationsResponse']> {
    checkName(request.repository)
    authorize(context, 'read', request.repository)
    const workspace = await this.#open(request.repository, request.atomic, context)
    const results = await runBatch(workspace, request.operations, {
      isCancelled,
      authorize(name, index) {
        const error = failing?.get(index)
        if (error) throw error
        authorize(context, operations[name].access, request.repository)
      },
      describe: (error) => this.#operationError(this.#described(error, context), context)
    })
    return { results }
  }

  /**
   * Carries out a frame of a session. What refuses the whole frame is the error of each of its operations.
   */
  async sessionBatch(
    request: Messages['BatchOperationsRequest'],
    authenticate: () => Principal,
    rules: FrameRules
  ): Promise<Messages['OperationResult'][]> {
    const { signal, requestId } = rules
    const context = { signal, requestId, principal: nobody }
    try {
      const { results } = await this.#batch(request, { ...context, principal: authenticate() }, rules.isCancelled)
      return results
    } catch (error) {
      const told = this.#operationError(this.#described(error, context), context)
      return request.operations.map(() => ({ error: told }))
    }
  }

  #operationError(error: BlobwireError, context: Context): Messages['OperationError'] {
    const { message, code } = error
    return { code, message, detail: errorDetail(error, context.requestId) }
  }
}
