/** The options of `commitFiles`, in a file of their own: its declarations are published. */
import type { TransferOptions } from '../transfer/options.ts'
import type { WriteOptions } from './request-key.ts'

/**
 * Options of `commitFiles`. A `timeoutMs` is for the whole call; without one, contents are uploaded for as long as bytes
 * move, and the commit itself has the client's `timeoutMs`.
 */
export interface CommitFilesOptions extends WriteOptions, TransferOptions {}
