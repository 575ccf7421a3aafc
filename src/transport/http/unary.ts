/** Unary calls over HTTP, with JSON or MessagePack, whoever sends the requests. */
import type { Codec } from '../../codec/codec.ts'
import { compress, compressorFor, compressorsIn, compressorsOf } from '../../compression/compression.ts'
import { looksCompressible } from '../../compression/sample.ts'
import type { HttpAnswer, HttpRequest } from '../../connection/http2/http-connection.ts'
import type { Compressor } from '../../platform/platform.ts'
import type { Init, MessageName } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { serviceName } from '../../schema/methods.ts'
import { asResponseError, errorFromException, malformedResponse, withRetryAfter } from '../errors.ts'
import { compressionThresholdBytes, type TransportOptions, type UnaryCall } from '../transport.ts'
import { collect, decodeBody } from './body.ts'
import { errorFromResponse } from './errors.ts'
import type { HttpContext } from './http-context.ts'
import { serverMsOf } from './server-timing.ts'

/** Those of a transport; of the connection, requests alone. */
interface UnaryContext extends Pick<HttpContext, 'codec' | 'counters' | 'machine'> {
  readonly connection: { request(options: HttpRequest): Promise<HttpAnswer> }
}

/** Makes the function that sends unary calls. It throws BlobwireErrors. */
export function unaryOverHttp(context: UnaryContext, options: TransportOptions): (call: UnaryCall) => Promise<object> {
  const { codec, connection, counters } = context
  const own = compressorsOf(options.compression)
  const fixedHeaders = {
    'content-type': codec.contentType,
    'connect-protocol-version': '1',
    ...context.machine,
    ...(own.length > 0 ? { 'accept-encoding': own.join(', ') } : {})
  }
  const known = new ServersCompressors(own)

  async function send(call: UnaryCall, message: Uint8Array, mayReplay: () => boolean): Promise<object> {
    const headers: Record<string, string> = { ...call.headers, ...fixedHeaders }
    let body = message
    let compressor: Compressor | undefined
    if (own.length > 0 && body.length >= compressionThresholdBytes && looksCompressible(body)) {
      compressor = compressorFor(body.length, known.usable)
    }
    if (compressor) {
      body = await compress(compressor, body)
      call.events?.event('compressed', { bytes: body.length })
      headers['content-encoding'] = compressor
    }
    const remainingMs = Math.max(1, Math.ceil(call.remainingMs()))
    // Connect allows ten digits.
    if (remainingMs < 1e10) headers['connect-timeout-ms'] = String(remainingMs)
    counters.requests++
    counters.bytesSent += body.length
    counters.uncompressedBytesSent += message.length
    const response = await connection.request({
      path: `/${serviceName}/${call.method.name}`,
      method: 'POST',
      headers,
      body,
      signal: call.signal,
      mayReplay,
      onStart: call.events && (() => tellSent(call, body.length))
    })
    call.events?.event('answered', { serverMs: serverMsOf(single(response.headers['server-timing'])) })
    const received = await collect(response.body, options.maxResponseBytes)
    counters.bytesReceived += received.length
    const encoding = single(response.headers['content-encoding'])
    const answer = await decodeBody(received, encoding, options.maxResponseBytes)
    counters.uncompressedBytesReceived += answer.length
    const contentType = single(response.headers['content-type']) ?? ''
    known.learn(single(response.headers['accept-encoding']))
    if (response.statusCode !== 200) {
      const error = errorFromResponse(response.statusCode, contentType, answer)
      if (compressor === 'zstd' && (error.code === 'unimplemented' || response.statusCode === 415) && mayReplay()) {
        known.refused()
        return send(call, message, mayReplay)
      }
      const named = error.with({ requestId: error.requestId ?? single(response.headers['x-request-id']) })
      throw withRetryAfter(named, single(response.headers['retry-after']))
    }
    if (contentType.split(';', 1)[0]?.trim() !== codec.contentType) {
      throw malformedResponse(
        `content-type must be ${codec.contentType}, not ${JSON.stringify(contentType.slice(0, 80))}; is this a blobwire server?`
      )
    }
    const decoded = decode(codec, call, answer)
    call.events?.event('decoded', { bytes: answer.length })
    return decoded
  }

  return async (call) => {
    // An encoding error is thrown outside of the try block: it is no error of an attempt.
    const message = codec.encode(call.method.request, call.request as Init<Messages[MessageName]>)
    call.events?.event('encoded', { bytes: message.length })
    let attempts = 1
    const mayReplay = () => {
      if (call.mayReplay?.() === false) return false
      attempts++
      return true
    }
    try {
      return await send(call, message, mayReplay)
    } catch (exception) {
      throw errorFromException(exception).with({ transport: codec.name, attempts })
    }
  }
}

/**
 * The compressors that the server takes: gzip, and others that its answers name (RFC 9110 section 12.5.3). Behind one
 * address there may be servers of several versions: where one of them has refused zstd, none gets it.
 */
class ServersCompressors {
  readonly #own: readonly Compressor[]
  usable: readonly Compressor[]
  #isSettled: boolean

  constructor(own: readonly Compressor[]) {
    this.#own = own
    this.usable = own.filter((name) => name === 'gzip')
    this.#isSettled = own.length === this.usable.length
  }

  learn(acceptEncoding: string | undefined): void {
    if (this.#isSettled || acceptEncoding === undefined) return
    this.#isSettled = true
    const taken = compressorsIn(acceptEncoding)
    this.usable = this.#own.filter((name) => taken.includes(name))
  }

  refused(): void {
    this.usable = this.#own.filter((name) => name === 'gzip')
  }
}

/** The request begins on a connection. */
function tellSent({ events, headers }: UnaryCall, bytes: number): void {
  events?.event('connected')
  events?.event('sent', { bytes, requestId: headers['x-request-id'] })
}

function decode(codec: Codec, call: UnaryCall, message: Uint8Array): object {
  try {
    return codec.decode(call.method.response, message)
  } catch (error) {
    throw asResponseError(error)
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
