/** Downloads by `fetch`: a whole blob as HTTP has it, a range as messages, of which the last one has its digest. */
import type { BlobwireError } from '../../core/error.ts'
import { pathFields } from '../../git/raw-path.ts'
import { encodeLatin1 } from '../../platform/bytes.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { malformedResponse } from '../errors.ts'
import { downloadOverHttp } from '../http/download.ts'
import { checkRange, exactly } from '../incoming-range.ts'
import type { DownloadAttempt, IncomingBlob } from '../transfer.ts'
import type { FetchContext } from './fetch-context.ts'
import { serverStream } from './server-stream.ts'

type Message = Messages['DownloadBlobResponse']

/**
 * Receives a blob, or a range of it. `toError` makes the errors of its chunks. Over HTTP, the digest of a range is a trailer,
 * which `fetch` does not tell. @throws BlobwireError, and the reason of the signal
 */
export function downloadOverFetch(
  context: FetchContext,
  attempt: DownloadAttempt,
  toError: (exception: unknown) => BlobwireError
): Promise<IncomingBlob> {
  const isWhole = attempt.offset === 0 && attempt.length === undefined
  return isWhole ? downloadOverHttp(context.connection, attempt, toError) : receiveMessages(context, attempt, toError)
}

async function receiveMessages(
  context: FetchContext,
  attempt: DownloadAttempt,
  toError: (exception: unknown) => BlobwireError
): Promise<IncomingBlob> {
  const { repository, oid: asked, offset, length, revision, path, digestFrom, headers, signal } = attempt
  const message = {
    ...{ repository, oid: asked, offset, length: length ?? 0, revision, ...pathFields(encodeLatin1(path)) },
    ...(digestFrom === undefined ? {} : { digestFrom })
  }
  const messages = serverStream(context, { method: methods.downloadBlob, message, headers, signal })
  try {
    const { done, value: first } = await messages.next()
    if (done) throw malformedResponse('the stream of a blob has no message')
    const { oid, size } = first
    const end = length === undefined ? size : Math.min(size, offset + length)
    const range = { oid, size, start: first.offset, end }
    checkRange(attempt, range)
    const incoming = { oid, size, sha256: undefined as Uint8Array | undefined }
    const chunks = chunksOf(first, messages, (sha256) => {
      incoming.sha256 = sha256
    })
    return Object.assign(incoming, { chunks: exactly(chunks, range, toError) })
  } catch (error) {
    await messages.return()
    throw error
  }
}

async function* chunksOf(
  first: Message,
  messages: AsyncGenerator<Message, void>,
  onDigest: (sha256: Uint8Array) => void
): AsyncGenerator<Uint8Array, void> {
  let due = first.offset
  const take = ({ offset, chunk, sha256 }: Message) => {
    if (offset !== due) throw malformedResponse(`a chunk for offset ${offset}, where ${due} was due`)
    due += chunk.length
    if (sha256.length > 0) onDigest(sha256)
    return chunk
  }
  try {
    yield take(first)
    for await (const message of messages) yield take(message)
  } finally {
    await messages.return()
  }
}
