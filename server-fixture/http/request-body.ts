import { gunzip } from '../../src/compression/gzip.ts'
import { BlobwireError } from '../../src/core/error.ts'
import { limitExceeded } from '../service/errors.ts'
import { type Exchange, headerOf } from './exchange.ts'

/** How a body may be read. */
export interface BodyRules {
  readonly maxBytes: number
  readonly timeoutMs: number
}

/**
 * The whole body, decompressed. Too large is noticed by Content-Length before anything is read, else while it is read.
 * @throws BlobwireError `resource_exhausted`, `deadline_exceeded` for a body that drips, `cancelled`, `unimplemented`
 * for other encodings than gzip, `invalid_argument` for bad gzip
 */
export async function readBody(exchange: Exchange, rules: BodyRules): Promise<Uint8Array> {
  const encoding = headerOf(exchange, 'content-encoding') ?? 'identity'
  try {
    if (encoding !== 'identity' && encoding !== 'gzip') {
      const message = `content-encoding ${JSON.stringify(encoding.slice(0, 40))} is not known; there are gzip and identity`
      throw new BlobwireError({ code: 'unimplemented', message })
    }
    const declared = Number(headerOf(exchange, 'content-length') ?? 0)
    if (declared > rules.maxBytes) throw limitExceeded('max_batch_bytes', rules.maxBytes, declared)
    const body = await collect(exchange, rules)
    return encoding === 'gzip' && body.length > 0 ? await gunzip(body, rules.maxBytes) : body
  } catch (error) {
    exchange.stopReading()
    throw error
  }
}

function collect({ body }: Exchange, { maxBytes, timeoutMs }: BodyRules): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Uint8Array[] = []
    let size = 0
    const fail = (error: BlobwireError) => {
      clearTimeout(timer)
      body.removeAllListeners('data')
      reject(error)
    }
    const timer = setTimeout(() => {
      fail(
        new BlobwireError({ code: 'deadline_exceeded', message: `the request took more than ${timeoutMs} ms to come` })
      )
    }, timeoutMs)
    body.on('data', (chunk: Uint8Array) => {
      size += chunk.length
      if (size > maxBytes) fail(limitExceeded('max_batch_bytes', maxBytes, 0))
      else parts.push(chunk)
    })
    body.once('end', () => {
      clearTimeout(timer)
      resolve(parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts, size))
    })
    const gone = () => fail(new BlobwireError({ code: 'cancelled', message: 'the client has gone' }))
    body.once('error', gone)
    body.once('close', gone)
    body.once('aborted', gone)
  })
}
