/** Turns the inputs of calls into request messages: strings become bytes, `null` a zero oid, and dates are filled in. */
import { BlobwireError, invalidArgument } from '../core/error.ts'
import { blobRequests, type Prepare, type Request, type RequestDefaults } from './blob-requests.ts'
import type { OperationInputs, OperationName } from './operations.ts'
import { requestOf } from './other-operations.ts'

const blobs: { readonly [Name in OperationName]?: Prepare<Name> } = blobRequests

/**
 * The request message of an operation.
 * @throws BlobwireError `invalid_argument` naming the wrong value
 */
export function prepare<Name extends OperationName>(
  name: Name,
  input: OperationInputs[Name],
  defaults: RequestDefaults
): Request<Name> {
  if (typeof input !== 'object' || input === null)
    throw invalidArgument(name, 'must be an object with the input of the operation')
  try {
    return (blobs[name] ?? requestOf(name))(input, defaults)
  } catch (error) {
    if (error instanceof BlobwireError) throw error
    // Callers without TypeScript may pass a wrong type, such as no list.
    throw invalidArgument(name, `must be a valid input of ${name}: ${(error as Error).message}`)
  }
}
