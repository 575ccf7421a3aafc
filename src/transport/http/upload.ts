/** Uploads over HTTP, after draft-ietf-httpbis-resumable-upload; docs/protocol.md has their form. */
import { jsonCodec } from '../../codec/json.ts'
import type { HttpConnection } from '../../connection/http2/http-connection.ts'
import type { TransferRequest, TransferResponse } from '../../connection/http2/transfer.ts'
import type { UploadBlobResponse } from '../../schema/messages.ts'
import { asResponseError } from '../errors.ts'
import type { UploadAttempt } from '../transfer.ts'
import { collect } from './body.ts'
import { errorOfTransfer, maxAnswerBytes, repositoryPath, sha256Field } from './transfer.ts'

async function* nothing(): AsyncGenerator<Uint8Array> {
  // The body is empty.
}

/** Sends the rest of a blob. @throws BlobwireError, and the errors of undici and node:http2 */
export async function uploadOverHttp(
  connection: Pick<HttpConnection, 'transfer'>,
  attempt: UploadAttempt
): Promise<UploadBlobResponse> {
  const { oid, chunks } = attempt
  let sentBytes = 0
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      sentBytes += chunk.length
      yield chunk
    }
  }
  // Digests that are known at the end alone are trailers. HTTP/1.1 has them in theory, and proxies drop them: there the
  // blob is completed by another request.
  let endsLater = false
  const response = await connection.transfer((version) => {
    endsLater = version === 1 && oid === ''
    const request = requestOf(attempt, { offset: attempt.offset, isLast: !endsLater, body: counted() })
    if (version === 1 || oid !== '') return request
    return { ...request, headers: { ...request.headers, trailer: trailerNames }, trailers: () => digestsOf(attempt) }
  })
  const answer = await answerOf(response)
  if (!endsLater || answer?.complete) return answer ?? incomplete
  const offset = attempt.offset + sentBytes
  const last = await connection.transfer(() =>
    requestOf(attempt, { offset, isLast: true, body: nothing(), digests: digestsOf(attempt) })
  )
  return (await answerOf(last)) ?? incomplete
}

const trailerNames = 'blobwire-oid, repr-digest'

/** The state of an upload of which the server has told nothing. */
export const incomplete: UploadBlobResponse = { oid: '', size: 0, offset: 0, complete: false }

/** A part of an upload that is a request of its own. */
interface Part {
  readonly offset: number
  /** Whether the blob is complete with it. */
  readonly isLast: boolean
  readonly body: AsyncIterable<Uint8Array>
  readonly digests?: Readonly<Record<string, string>>
}

/** The request for a part. */
export function requestOf(attempt: UploadAttempt, { offset, isLast, body, digests }: Part): TransferRequest {
  const { repository, uploadId, size, oid, headers, signal } = attempt
  const isFirst = offset === 0
  return {
    method: isFirst ? 'POST' : 'PATCH',
    path: `${repositoryPath(repository)}/uploads/${uploadId}`,
    headers: {
      ...headers,
      'content-type': isFirst ? 'application/octet-stream' : 'application/partial-upload',
      'upload-complete': isLast ? '?1' : '?0',
      ...(isFirst ? {} : { 'upload-offset': String(offset) }),
      ...(size === undefined ? {} : { 'upload-length': String(size), 'content-length': String(size - offset) }),
      ...(oid === '' ? {} : { 'blobwire-oid': oid }),
      ...digests
    },
    body,
    signal
  }
}

/** The headers, or trailers, that the server holds the whole blob against. */
export function digestsOf(attempt: UploadAttempt): Record<string, string> {
  const { oid, sha256 } = attempt.digests()
  return {
    ...(oid === '' ? {} : { 'blobwire-oid': oid }),
    ...(sha256 === undefined ? {} : { 'repr-digest': sha256Field(sha256) })
  }
}

/** The answer; undefined = the server has taken the bytes, and says nothing else. @throws BlobwireError */
export async function answerOf(response: TransferResponse): Promise<UploadBlobResponse | undefined> {
  if (response.status < 200 || response.status > 299) throw await errorOfTransfer(response)
  const body = await collect(response.chunks, maxAnswerBytes)
  if (body.length === 0) return undefined
  try {
    return jsonCodec.decode('UploadBlobResponse', body)
  } catch (error) {
    throw asResponseError(error)
  }
}
