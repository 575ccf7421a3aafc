/** Reads and decompresses the body of a request. */
import { acceptedEncodings, isEncoding } from '../../src/compression/compression.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { inflate } from '../inflate.ts'
import type { Charge } from '../memory-budget.ts'
import { limitExceeded } from '../service/errors.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** Bounds of a body. */
export interface BodyLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
  /** Charged with the bytes as they come, and as they are decompressed. */
  readonly charge: Charge
}

/** How a body is collected. */
interface Collecting extends BodyLimits {
  /** Bytes that are in the charge already. */
  readonly charged?: number
  /** The bytes of a body by its first piece, to be charged at once. @throws BlobwireError for too many */
  readonly expectedBytes?: (first: Uint8Array) => number
}

/**
 * The whole body, decompressed. A body that is too large, or has no room in the budget, is refused by its Content-Length,
 * or while it is read.
 * @throws BlobwireError `resource_exhausted`, `deadline_exceeded` for a slow body, `cancelled`, `unimplemented` for
 * other encodings than zstd, gzip and deflate, `invalid_argument` for a body that is not of its encoding
 */
export async function readBody(exchange: Exchange, limits: BodyLimits): Promise<Uint8Array> {
  const encoding = headerOf(exchange, 'content-encoding') ?? 'identity'
  if (encoding !== 'identity' && !isEncoding(encoding)) {
    const found = JSON.stringify(encoding.slice(0, 40))
    const message = `unknown content-encoding ${found}; expected ${acceptedEncodings} or identity`
    throw new BlobwireError({ code: 'unimplemented', message })
  }
  const declared = Number(headerOf(exchange, 'content-length') ?? 0)
  if (declared > limits.maxBytes) throw limitExceeded('max_batch_bytes', limits.maxBytes, declared)
  // At once: of many bodies that come together, those that are complete first would have no room to the end.
  limits.charge.add(declared)
  const body = await collectBody(exchange, { ...limits, charged: declared })
  if (encoding === 'identity' || body.length === 0) {
    exchange.record.received(body.length, body.length)
    return body
  }
  const inflated = await inflate(body, { encoding, ...limits })
  limits.charge.release(body.length)
  exchange.record.received(body.length, inflated.length)
  return inflated
}

/** The whole body as it comes. @throws BlobwireError as `readBody`, but for the encoding */
export function collectBody(exchange: Exchange, collecting: Collecting): Promise<Uint8Array> {
  const { maxBytes, timeoutMs, charge, charged = 0, expectedBytes } = collecting
  return new Promise((resolve, reject) => {
    let chargedBytes = charged
    const body = exchange.openBody()
    const chunks: Uint8Array[] = []
    let size = 0
    const fail = (error: BlobwireError) => {
      clearTimeout(timer)
      body.removeAllListeners('data')
      chunks.length = 0
      reject(error)
    }
    const timer = setTimeout(() => {
      fail(
        new BlobwireError({
          code: 'deadline_exceeded',
          message: `the request body did not arrive within ${timeoutMs} ms`
        })
      )
    }, timeoutMs)
    body.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxBytes) return fail(limitExceeded('max_batch_bytes', maxBytes, 0))
      try {
        const expected = expectedBytes && chunks.length === 0 ? Math.max(size, expectedBytes(chunk)) : size
        if (expected > chargedBytes) {
          charge.add(expected - chargedBytes)
          chargedBytes = expected
        }
        chunks.push(chunk)
      } catch (error) {
        fail(error as BlobwireError)
      }
    })
    body.once('end', () => {
      clearTimeout(timer)
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size))
    })
    const gone = () => fail(new BlobwireError({ code: 'cancelled', message: 'the client closed the stream' }))
    body.once('error', (error) => (error instanceof BlobwireError ? fail(error) : gone()))
    body.once('close', gone)
    body.once('aborted', gone)
  })
}
