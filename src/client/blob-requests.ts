/** The request messages of blobs: strings become bytes. */
import type { Clock } from '../core/clock.ts'
import type { ObjectFormat } from '../git/oid.ts'
import { type PathFields, pathFields } from '../git/raw-path.ts'
import type { Init } from '../schema/descriptor.ts'
import type { Messages } from '../schema/messages.ts'
import type { BlobAddress, ObjectAddress, Path } from './inputs.ts'
import type { OperationInputs, OperationName } from './operations.ts'
import { toBytes } from './take.ts'

/** The sources of defaults in request messages. */
export interface RequestDefaults {
  readonly clock: Clock
  /** Object format of the repository; `sha1` until it is known. */
  readonly objectFormat: ObjectFormat
}

/** Makes the request of an operation. */
export type Prepare<Name extends OperationName> = (
  input: OperationInputs[Name],
  defaults: RequestDefaults
) => Request<Name>

/** The request message of each operation, without `repository`. */
export type Request<Name extends OperationName> = Init<NonNullable<Messages['Operation'][Name]>>

/** The input with its path as messages carry it. */
export function withPath<Input extends { path?: Path | undefined }>(input: Input): Omit<Input, 'path'> & PathFields {
  const { path, ...rest } = input
  return path === undefined ? rest : { ...rest, ...pathFields(path) }
}

export const address = (input: BlobAddress | ObjectAddress) => ('oid' in input ? { oid: input.oid } : withPath(input))

/** The most frequent request is made from an empty literal; see `OwnCall`. */
function storeBlob({ content }: OperationInputs['storeBlob']): Request<'storeBlob'> {
  const request: { content?: Uint8Array } = {}
  request.content = toBytes('content', content)
  return request as Request<'storeBlob'>
}

export const blobRequests = { storeBlob, getBlob: address }
