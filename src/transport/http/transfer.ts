/** The paths, headers and errors that uploads and downloads over HTTP share. */
import type { TransferHeaders, TransferResponse } from '../../connection/http2/transfer.ts'
import type { BlobwireError } from '../../core/error.ts'
import { decodeBase64, encodeBase64 } from '../../platform/bytes.ts'
import { malformedResponse, withRetryAfter } from '../errors.ts'
import { collect } from './body.ts'
import { errorFromResponse } from './errors.ts'

/** Most bytes of an answer that is no blob. */
export const maxAnswerBytes = 64 * 1024

/** The first of the header's values. */
export function single(headers: TransferHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The path of a repository. After a segment `files`, the server would read a revision. */
export function repositoryPath(name: string): string {
  const segments = name.split('/').map(encodeURIComponent)
  return `/v1/repositories/${segments.join(segments.includes('files') ? '%2F' : '/')}`
}

/** A structured field (RFC 9651) of a SHA-256: the value of `Repr-Digest` and `Content-Digest` (RFC 9530). */
export function sha256Field(digest: Uint8Array): string {
  return `sha-256=:${encodeBase64(digest)}:`
}

/** The SHA-256 of such a field; undefined = it has none. @throws BlobwireError for one that cannot be read */
export function readSha256Field(field: string | undefined): Uint8Array | undefined {
  const [, base64] = /(?:^|[ ,])sha-256=:([A-Za-z0-9+/]*=*):/.exec(field ?? '') ?? []
  if (base64 === undefined) return undefined
  const digest = decodeBase64(base64)
  if (digest?.length !== 32) throw malformedResponse('the SHA-256 of a range has 32 bytes')
  return digest
}

/** The error of an answer other than success, by its body. */
export async function errorOfTransfer(response: TransferResponse): Promise<BlobwireError> {
  const { status, headers } = response
  const contentType = single(headers, 'content-type') ?? ''
  const error = errorFromResponse(status, contentType, await collect(response.chunks, maxAnswerBytes))
  const named = error.with({ requestId: error.requestId ?? single(headers, 'x-request-id') })
  return withRetryAfter(named, single(headers, 'retry-after'))
}
