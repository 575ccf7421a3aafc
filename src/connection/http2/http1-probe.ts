/** Tells servers that speak HTTP/1.1 from connections that are merely broken. */
import { closedAtOnceMessage, failureMessage } from '../../core/advice.ts'
import type { Clock } from '../../core/clock.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Connector } from '../dial/connector.ts'
import { suspectTimeoutMs } from '../health.ts'

/** The first bytes of a client of HTTP/2: the preface and empty SETTINGS (RFC 9113 section 3.4). */
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0'
const begin = 'HTTP/1.'
/** RFC 9112 section 4. */
const statusLine = /^HTTP\/1\.[01] [1-5]\d\d[ \r]/

/** Errors of connections on which nghttp2 cannot read the first bytes of the server, and of later streams there. */
const codes = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_INVALID_SESSION'])

/**
 * The first bytes of a server were not HTTP/2: noise, damage, or HTTP/1.1. That is no violation of HTTP/2, which has not
 * begun, but a broken connection: another one may work.
 */
export class NotHttp2 extends BlobwireError {
  constructor(cause: NodeJS.ErrnoException) {
    const message = failureMessage('the first bytes of the server are not HTTP/2')
    super({ code: 'unavailable', message, sent: cause.code === 'ERR_HTTP2_ERROR' ? 'maybe' : 'never', cause })
  }
}

/** Errors of connections that the server closed. */
const closings = new Set(['UND_ERR_SOCKET', 'ECONNRESET'])

/** The error of a stream on a connection whose server has not sent its SETTINGS. */
export function beforeSettings(error: NodeJS.ErrnoException): Error {
  const { code = '' } = error
  if (codes.has(code)) return new NotHttp2(error)
  if (!closings.has(code)) return error
  const message = closedAtOnceMessage(error)
  return new BlobwireError({ code: 'unavailable', message, sent: 'maybe', cause: error })
}

/**
 * Whether the server answers the preface of HTTP/2 with a status line of HTTP/1.1, on a connection of its own. No request
 * is sent.
 */
export async function speaksHttp1(connector: Connector, clock: Clock): Promise<boolean> {
  const socket = await connector.open(false).catch(() => undefined)
  if (socket === undefined) return false
  const answer = await new Promise<string>((resolve) => {
    let seen = ''
    const cancel = clock.schedule(suspectTimeoutMs, () => resolve(seen))
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1', 0, 64)
      const mayBeHttp1 = begin.startsWith(seen.slice(0, begin.length))
      if (!mayBeHttp1 || seen.length > 'HTTP/1.1 400'.length) resolve(seen)
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      cancel()
      resolve(seen)
    })
    socket.write(preface, 'latin1')
  })
  socket.destroy()
  return statusLine.test(answer)
}
