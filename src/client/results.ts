/** The types of a batch: each operation is checked as it is written, and each result has the type of its operation. */
import type { BlobwireError } from '../core/error.ts'
import type { Messages, TreeEntry } from '../schema/messages.ts'
import type { Operation, OperationInputs, OperationName } from './operations.ts'

/** The value of each kind of operation. */
export type OperationValues = {
  [Name in OperationName]: NonNullable<Messages['OperationResult'][Name]>
}

/** The outcome of one operation of a batch: its value or its error. */
export type OperationResult<Value = OperationValues[OperationName]> =
  | { readonly ok: true; readonly value: Value; readonly error?: undefined }
  | { readonly ok: false; readonly error: BlobwireError; readonly value?: undefined }

/** The complete listing of a tree. */
export interface Tree {
  /** Oid of the listed tree. */
  oid: string
  /** Entries of the tree. Paths are relative to the listed tree. */
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
 * The operations of a `batch`. TypeScript infers the type parameter from the list: a literal list has a type for each
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

/** The results of a `batch`, each at the position of its operation. */
export type BatchResults<Given extends readonly Operation[]> = {
  -readonly [Index in keyof Given]: OperationResult<OperationValues[NameOf<Given[Index]>]>
}
