/** The types of interceptors. */
import type { Intercepted, RequestInterceptor } from '../call/interceptor.ts'
import type {
  Capabilities,
  CreateRepositoryResponse,
  DeleteRepositoryResponse,
  Messages,
  RepositoryInfo
} from '../schema/messages.ts'
import type { UploadResult } from '../transfer/upload.ts'
import type {
  CommitFilesInput,
  CreateRepositoryInput,
  GetTreeInput,
  ListInput,
  StoreCommitInput,
  StoreTagInput,
  UpdateRepositoryInput,
  UploadInput
} from './inputs.ts'
import type { Operation, OperationInputs } from './operations.ts'
import type { OperationResult, OperationValues, Tree } from './results.ts'
import type { Signable } from './sign.ts'

/** The input of each call of a repository. */
export interface RepositoryInputs
  extends Omit<OperationInputs, 'getTree' | 'commitFiles' | 'storeCommit' | 'storeTag'> {
  createRepository: CreateRepositoryInput
  updateRepository: UpdateRepositoryInput
  deleteRepository: Record<never, never>
  getTree: GetTreeInput
  storeCommit: StoreCommitInput & Signable
  storeTag: StoreTagInput & Signable
  commitFiles: CommitFilesInput & Signable
  batch: { operations: readonly Operation[]; atomic?: boolean | undefined }
  upload: UploadInput
}

/** The result of each call of a repository. */
export interface RepositoryResults extends Omit<OperationValues, 'getTree' | 'getRepository'> {
  createRepository: CreateRepositoryResponse
  getRepository: RepositoryInfo
  updateRepository: RepositoryInfo
  deleteRepository: DeleteRepositoryResponse
  getTree: Tree
  batch: OperationResult[]
  upload: UploadResult
}

/** Name of a call of a repository. */
export type RepositoryMethod = keyof RepositoryInputs

/** The message of each call: the arguments of its caller. */
export interface CallMessages extends RepositoryInputs {
  listRepositories: ListInput
  getCapabilities: Record<never, never>
}

/** The result of each call. */
export interface CallResults extends RepositoryResults {
  listRepositories: Messages['ListRepositoriesResponse']
  getCapabilities: Capabilities
}

/** Name of a call: the name of its method on `Client`. */
export type Method = keyof CallResults

/** A call of one method, as an interceptor sees it. */
export interface CallOf<Name extends Method> extends Intercepted {
  readonly method: Name
  /** Name of the repository; undefined for calls that concern no repository. */
  readonly repository: string | undefined
  readonly message: Readonly<CallMessages[Name]>
}

/** A call, as an interceptor sees it. `call.method === 'storeBlob'` narrows `call.message`. */
export type Call = { [Name in Method]: CallOf<Name> }[Method]

/** Passes the call on to the next interceptor, or to the client, and returns the result. */
export type NextCall = <Name extends Method>(
  call: Pick<CallOf<Name>, 'method' | 'repository' | 'message' | 'headers'>
) => Promise<CallResults[Name]>

/** A function around every call of the application. It sees a call once, however many requests the call makes. */
export type CallInterceptor = (call: Call, next: NextCall) => Promise<CallResults[Method]>

/**
 * An element of the option `interceptors`: a function around every call, or `{ request }` with a function around every
 * request that calls make. The interceptor sees the call on its way out, and the result or the error on its way back.
 * It may change message and headers (`next({ ...call, headers })`), return a result without calling `next`, or call
 * `next` again. The deadline and the signal of the call apply to the interceptor, too. docs/interceptors.md shows the
 * layers.
 *
 * @example
 * const log: Interceptor = async (call, next) => {
 *   const began = performance.now()
 *   const result = await next({ ...call, headers: { ...call.headers, 'x-team': 'docs' } })
 *   if (call.method === 'getBlob') console.log(call.message, performance.now() - began)
 *   return result
 * }
 */
export type Interceptor = CallInterceptor | { readonly request: RequestInterceptor }
