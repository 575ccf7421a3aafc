/** Holds the beginning of a blob's answer, and the number of its bytes, against what was asked for. */
import { BlobwireError } from '../core/error.ts'
import { isOid } from '../git/oid.ts'
import { malformedResponse } from './errors.ts'
import type { DownloadAttempt } from './transfer.ts'

/** The facts of an answer. */
export interface IncomingRange {
  readonly oid: string
  /** Of the whole blob, in bytes. */
  readonly size: number
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** @throws BlobwireError `integrity` for another blob or range than asked for; `malformed_response` */
export function checkRange({ oid: asked, offset, length }: DownloadAttempt, range: IncomingRange): void {
  const { oid, size, start, end } = range
  if (!isOid(oid)) throw malformedResponse(`the blob has no oid, but ${JSON.stringify(oid.slice(0, 80))}`)
  if (asked !== '' && oid !== asked) throw lie(`the server sends the blob ${oid} instead of ${asked}`)
  if (![size, start, end].every(Number.isSafeInteger)) throw malformedResponse('the size of the blob is no number')
  const expectedEnd = length === undefined ? size : Math.min(size, offset + length)
  if (start === offset && end === expectedEnd && start <= end) return
  throw lie(`the server sends bytes ${start} to ${end} of ${size} instead of ${offset} to ${expectedEnd}`)
}

/**
 * The same chunks. `toError` makes the error of an exception.
 * @throws BlobwireError also where they are more or fewer bytes than the range
 */
export async function* exactly(
  chunks: AsyncIterable<Uint8Array>,
  { start, end }: IncomingRange,
  toError: (exception: unknown) => BlobwireError
): AsyncGenerator<Uint8Array, void> {
  let left = end - start
  try {
    for await (const chunk of chunks) {
      left -= chunk.length
      if (left < 0) throw malformedResponse(`more bytes than the ${end - start} of the range`)
      yield chunk
    }
    if (left > 0) throw brokenOff(left)
  } catch (exception) {
    throw toError(exception)
  }
}

function brokenOff(bytes: number): BlobwireError {
  return new BlobwireError({
    code: 'unavailable',
    message: `the answer broke off ${bytes} bytes before its end`,
    sent: 'maybe'
  })
}

function lie(message: string): BlobwireError {
  return new BlobwireError({ reason: 'integrity', message, sent: 'processed' })
}
