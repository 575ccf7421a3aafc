/** Downloads over HTTP: `GET` with `Range`. Source: RFC 9110 sections 8.8.3 (ETag) and 14 (ranges), RFC 9530 (digests). */
import type { HttpConnection } from '../../connection/http2/http-connection.ts'
import type { TransferHeaders, TransferResponse } from '../../connection/http2/transfer.ts'
import type { BlobwireError } from '../../core/error.ts'
import { malformedResponse } from '../errors.ts'
import { checkRange, exactly, type IncomingRange } from '../incoming-range.ts'
import type { DownloadAttempt, IncomingBlob } from '../transfer.ts'
import { errorOfTransfer, readSha256Field, repositoryPath, single } from './transfer.ts'

/** Receives a blob, or a range of it. `toError` makes the errors of its chunks. @throws BlobwireError, and the errors of undici and node:http2 */
export async function downloadOverHttp(
  connection: Pick<HttpConnection, 'transfer'>,
  attempt: DownloadAttempt,
  toError: (exception: unknown) => BlobwireError
): Promise<IncomingBlob> {
  const { headers, signal } = attempt
  const response = await connection.transfer(() => ({
    method: 'GET',
    path: pathOf(attempt),
    headers: { ...headers, 'accept-encoding': 'identity', ...rangeHeaders(attempt) },
    signal
  }))
  if (response.status !== 200 && response.status !== 206) throw await errorOfTransfer(response)
  try {
    return incomingOf(response, attempt, toError)
  } catch (error) {
    response.discard()
    throw error
  }
}

function pathOf({ repository, oid, revision, path }: DownloadAttempt): string {
  const base = repositoryPath(repository)
  if (oid !== '') return `${base}/blobs/${oid}`
  return `${base}/files/${encodeURIComponent(revision)}/${encodePath(path)}`
}

/** Percent-encodes the bytes of a path, each of which is a character here. */
function encodePath(path: string): string {
  return path.replace(
    /[^A-Za-z0-9._~/-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  )
}

function isWhole({ offset, length }: DownloadAttempt): boolean {
  return offset === 0 && length === undefined
}

function rangeHeaders(attempt: DownloadAttempt): Record<string, string> {
  const { offset, length, digestFrom } = attempt
  if (isWhole(attempt)) return {}
  return {
    range: `bytes=${offset}-${length === undefined ? '' : offset + length - 1}`,
    'want-content-digest': 'sha-256=1',
    ...(digestFrom === undefined ? {} : { 'blobwire-digest-from': String(digestFrom) })
  }
}

function incomingOf(
  response: TransferResponse,
  attempt: DownloadAttempt,
  toError: (exception: unknown) => BlobwireError
): IncomingBlob {
  const encoding = single(response.headers, 'content-encoding') ?? 'identity'
  if (encoding !== 'identity') throw malformedResponse('content-encoding must be identity for a blob')
  const range = isWhole(attempt) ? wholeOf(response) : partOf(response)
  checkRange(attempt, range)
  return {
    oid: range.oid,
    size: range.size,
    chunks: exactly(response.chunks, range, toError),
    get sha256() {
      const field = single(response.trailers, 'content-digest') ?? single(response.headers, 'content-digest')
      try {
        return readSha256Field(field)
      } catch (error) {
        throw toError(error)
      }
    }
  }
}

/** A server that ignores `Range` would send all that is there already once more. */
function partOf({ status, headers }: TransferResponse): IncomingRange {
  if (status !== 206) throw malformedResponse('the whole blob instead of a range of it')
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(single(headers, 'content-range') ?? '') ?? []
  return { oid: oidOf(headers), start: Number(first), end: Number(last) + 1, size: Number(size) }
}

function wholeOf({ status, headers }: TransferResponse): IncomingRange {
  if (status !== 200) throw malformedResponse('a range instead of the whole blob')
  const length = single(headers, 'content-length')
  if (length === undefined) throw malformedResponse('the answer with a blob has no content-length')
  return { oid: oidOf(headers), start: 0, end: Number(length), size: Number(length) }
}

/** The entity tag of a blob is its oid. */
function oidOf(headers: TransferHeaders): string {
  return /^"([0-9a-f]+)"$/.exec(single(headers, 'etag') ?? '')?.[1] ?? ''
}
