/** The operations of a batch, each with the input of its call. */
import type {
  BlobAddress,
  Bytes,
  CommitFilesInput,
  CompareInput,
  GetTreeInput,
  KeyedInput,
  ListCommitsInput,
  ListInput,
  ObjectAddress,
  PageInput,
  RefUpdateInput,
  StoreCommitInput,
  StoreObjectInput,
  StoreTagInput,
  StoreTreeInput
} from './inputs.ts'

/** The input of each kind of operation in a batch. */
export interface OperationInputs {
  storeBlob: { content: Bytes }
  getBlob: BlobAddress
  findMissing: { oids: readonly string[] }
  storeTree: StoreTreeInput
  getTree: GetTreeInput & PageInput
  storeCommit: StoreCommitInput
  getCommit: { /** @default 'HEAD' */ revision?: string | undefined }
  listCommits: ListCommitsInput
  commitFiles: CommitFilesInput & KeyedInput
  listRefs: ListInput
  updateRefs: { updates: readonly RefUpdateInput[] } & KeyedInput
  compare: CompareInput
  getRepository: Record<never, never>
  storeObject: StoreObjectInput
  getObject: ObjectAddress
  storeTag: StoreTagInput
  getTag: { revision: string }
}

/** Name of a kind of operation. */
export type OperationName = keyof OperationInputs

/** One operation of a batch: an object with one key, the operation's name. */
export type Operation = {
  [Name in OperationName]: { readonly [Key in Name]: OperationInputs[Name] } & {
    readonly [Key in Exclude<OperationName, Name>]?: undefined
  }
}[OperationName]
