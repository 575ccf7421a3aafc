import type { CallOptions } from '../call/call-options.ts'
import type { RequestDefaults } from './blob-requests.ts'
import type { CallInvoker } from './call-invoker.ts'

/** What calls of several requests are made with: the client, and the repository that they are of. */
export interface RepositoryContext {
  readonly invoker: CallInvoker
  readonly repository: string
  readonly defaults: RequestDefaults
  /** Asks the server for the object format, unless it is known. */
  fetchFormat(options: CallOptions): Promise<void>
}
