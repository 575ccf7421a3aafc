/** Reads response bodies under a size limit. */
import { acceptedEncodings, decompress, isEncoding } from '../../compression/compression.ts'
import { BlobwireError } from '../../core/error.ts'
import { concat } from '../../platform/bytes.ts'
import { malformedResponse } from '../errors.ts'

type Chunks = AsyncIterable<Uint8Array>

function tooLarge(maxBytes: number): BlobwireError {
  return new BlobwireError({
    reason: 'response_too_large',
    message: `the response is larger than maxResponseBytes (${maxBytes})`,
    sent: 'processed'
  })
}

/**
 * The whole body, still compressed. An early exit from the loop destroys the stream.
 * @throws BlobwireError `resource_exhausted`, reason `response_too_large`
 */
export async function collect(chunks: Chunks, maxBytes: number): Promise<Uint8Array> {
  const received: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > maxBytes) throw tooLarge(maxBytes)
    received.push(chunk)
  }
  const [first] = received
  return received.length === 1 && first ? first : concat(received)
}

/** Undoes `Content-Encoding`. @throws BlobwireError for unknown encodings and for a body that is not of its encoding */
export async function decodeBody(
  body: Uint8Array,
  encoding: string | undefined,
  maxBytes: number
): Promise<Uint8Array> {
  if (encoding === undefined || encoding === 'identity') return body
  if (!isEncoding(encoding)) {
    const found = JSON.stringify(encoding.slice(0, 40))
    throw malformedResponse(`content-encoding must be one of ${acceptedEncodings}, not ${found}`)
  }
  try {
    return await decompress(body, { encoding, maxBytes })
  } catch (error) {
    if (error instanceof BlobwireError && error.code === 'resource_exhausted') throw tooLarge(maxBytes)
    throw malformedResponse(`the body is not valid ${encoding}`, error)
  }
}
