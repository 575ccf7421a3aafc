/** The types of a batch: each operation is checked as it is written, and each result has the type of its operation. */
import type { BlobwireError } from '../core/error.ts'
import type { Messages, TreeEntry } from '../schema/messages.ts'
import type { Operation, OperationInputs, OperationName } from './inputs.ts'

/** What each kind of operation gives. */
export type OperationValues = {
  [Name in OperationName]: NonNullable<Messages['OperationResult'][Name]>
}

/** What came of one operation of a batch. */
export type OperationResult<Value = OperationValues[OperationName]> =
  | { readonly ok: true; readonly value: Value; readonly error?: undefined }
  | { readonly ok: false; readonly error: BlobwireError; readonly value?: undefined }

/** A whole tree: a listing with all its pages. */
export interface Tree {
  /** Of the tree that is listed. */
  oid: string
  /** Paths are relative to the tree that is listed. */
  entries: TreeEntry[]
}

/** Name of the operation that an object with one key is. */
type NameOf<Given> = Given extends unknown
  ? { [Name in OperationName]: Given extends { readonly [Key in Name]: object } ? Name : never }[OperationName]
  : never

type KeyOf<Input> = Input extends unknown ? keyof Input : never

/** Refuses keys that the input does not have. */
type Exact<Given, Input> = { readonly [Key in keyof Given]: Key extends KeyOf<Input> ? Given[Key] : never }

/**
 * Operations as `batch` takes them. The type parameter is inferred from the list: a literal list has a type for each
 * position.
 */
export type BatchOperations<Given extends readonly Operation[]> = readonly [
  ...{
    readonly [Index in keyof Given]: Given[Index] & {
      readonly [Key in keyof Given[Index]]: Key extends OperationName
        ? Exact<Given[Index][Key], OperationInputs[Key]>
        : never
    }
  }
]

/** Results as `batch` gives them, each at the position of its operation. */
export type BatchResults<Given extends readonly Operation[]> = {
  -readonly [Index in keyof Given]: OperationResult<OperationValues[NameOf<Given[Index]>]>
}
