/** Verifies the answers of blobs. */

import type { Request } from '../blob-requests.ts'
import type { OperationName } from '../operations.ts'
import type { OperationValues } from '../results.ts'
import { checkOid, integrity, malformed } from './integrity.ts'

/** Checks one answer; both are of the same operation. @throws BlobwireError */
export type Verifier = (request: object, response: object) => void

/** The same of one operation. */
export type Verify<Name extends OperationName> = (request: Request<Name>, response: OperationValues[Name]) => void

export const blobVerifiers: { readonly [Name in OperationName]?: Verify<Name> } = {
  storeBlob(request, response) {
    const content = request.content ?? new Uint8Array(0)
    checkOid('stored blob', 'blob', { oid: response.oid, content })
  },
  getBlob(request, response) {
    if (request.oid && request.oid !== response.oid) throw integrity('blob', request.oid, response.oid)
    checkOid('blob', 'blob', response)
    if (response.size !== response.content.length) throw malformed('the size of a blob does not match its content')
  }
}
