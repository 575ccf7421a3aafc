/** Uploads by `fetch`: one request where its body can be a stream, otherwise a request for each part. */
import type { FetchConnection } from '../../connection/fetch/fetch-connection.ts'
import { systemClock } from '../../core/clock.ts'
import { concat } from '../../platform/bytes.ts'
import type { UploadBlobResponse } from '../../schema/messages.ts'
import { answerOf, digestsOf, incomplete, requestOf, uploadOverHttp } from '../http/upload.ts'
import type { UploadAttempt } from '../transfer.ts'

/** The first part is small enough for a slow line not to take it for a stall. */
const firstPartBytes = 512 * 1024
const leastPartBytes = 128 * 1024
/** A part is held in memory. */
const mostPartBytes = 16 * 1024 * 1024
/** The time that a part should take: long against a round trip, and short against a stall. */
const partMs = 2000

/** Sends the rest of a blob. @throws BlobwireError, and the reason of the signal */
export function uploadOverFetch(connection: FetchConnection, attempt: UploadAttempt): Promise<UploadBlobResponse> {
  return connection.takesStreams ? uploadOverHttp(connection, attempt) : uploadInParts(connection, attempt)
}

async function uploadInParts(connection: FetchConnection, attempt: UploadAttempt): Promise<UploadBlobResponse> {
  const chunks = attempt.chunks[Symbol.asyncIterator]()
  let offset = attempt.offset
  let partBytes = firstPartBytes
  try {
    let next = await chunks.next()
    for (;;) {
      const held: Uint8Array[] = []
      for (let bytes = 0; !next.done && bytes < partBytes; next = await chunks.next()) {
        held.push(next.value)
        bytes += next.value.length
      }
      const isLast = next.done === true
      const beganAtMs = systemClock.now()
      const body = concat(held)
      const request = requestOf(attempt, {
        offset,
        isLast,
        body: noChunks(),
        digests: isLast ? digestsOf(attempt) : {}
      })
      const answer = await answerOf(await connection.send({ ...request, body }))
      if (isLast || answer?.complete) return answer ?? incomplete
      offset += body.length
      const tookMs = systemClock.now() - beganAtMs
      if (tookMs < partMs / 2) partBytes = Math.min(2 * partBytes, mostPartBytes)
      else if (tookMs > 2 * partMs) partBytes = Math.max(partBytes / 2, leastPartBytes)
    }
  } finally {
    await chunks.return?.()
  }
}

/** The body of a part is its bytes. */
async function* noChunks(): AsyncGenerator<Uint8Array> {}
