/** Reads and decompresses the body of a request. */
import { gunzip } from '../../src/compression/gzip.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { limitExceeded } from '../service/errors.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** Bounds of a body. */
export interface BodyLimits {
  readonly maxBytes: number
  readonly timeoutMs: number
}

/**
 * The whole body, decompressed. A body that is too large is refused by its Content-Length, or while it is read.
 * @throws BlobwireError `resource_exhausted`, `deadline_exceeded` for a slow body, `cancelled`, `unimplemented` for
 * other encodings than gzip, `invalid_argument` for bad gzip
 */
export async function readBody(exchange: Exchange, limits: BodyLimits): Promise<Uint8Array> {
  const encoding = headerOf(exchange, 'content-encoding') ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    const message = `unknown content-encoding ${JSON.stringify(encoding.slice(0, 40))}; expected gzip or identity`
    throw new BlobwireError({ code: 'unimplemented', message })
  }
  const declared = Number(headerOf(exchange, 'content-length') ?? 0)
  if (declared > limits.maxBytes) throw limitExceeded('max_batch_bytes', limits.maxBytes, declared)
  const body = await collect(exchange, limits)
  return encoding === 'gzip' && body.length > 0 ? await gunzip(body, limits.maxBytes) : body
}

function collect(exchange: Exchange, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
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
      if (size > maxBytes) fail(limitExceeded('max_batch_bytes', maxBytes, 0))
      else chunks.push(chunk)
    })
    body.once('end', () => {
      clearTimeout(timer)
      resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size))
    })
    const gone = () => fail(new BlobwireError({ code: 'cancelled', message: 'the client closed the stream' }))
    body.once('error', gone)
    body.once('close', gone)
    body.once('aborted', gone)
  })
}
