/** Streams of messages from the server, in answer to one message. Source: Connect protocol, "Streaming RPCs". */
import { EnvelopeParser, encodeEnvelope, endStreamFlag } from '../../codec/envelope.ts'
import { BlobwireError } from '../../core/error.ts'
import type { Init, MessageName, Method } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { serviceName } from '../../schema/methods.ts'
import { asResponseError, malformedResponse } from '../errors.ts'
import { errorFromEndStream } from '../http/errors.ts'
import { errorOfTransfer, single } from '../http/transfer.ts'
import type { FetchContext } from './fetch-context.ts'

interface StreamRequest<Request, Response> {
  readonly method: Method<Request, Response>
  readonly message: Init<Request>
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** The messages, as their reader asks for them. To leave the loop ends the stream. @throws BlobwireError, and the reason of the signal */
export async function* serverStream<Request, Response>(
  { codec, connection, counters, maxResponseBytes }: FetchContext,
  { method, message, headers, signal }: StreamRequest<Request, Response>
): AsyncGenerator<Response, void> {
  const type = `application/connect+${codec.name}`
  const request = codec.encode(method.request, message as Init<Messages[MessageName]>)
  const path = `/${serviceName}/${method.name}`
  const own = { 'content-type': type, 'connect-protocol-version': '1' }
  const body = encodeEnvelope(0, request)
  counters.requests++
  counters.bytesSent += body.length
  counters.uncompressedBytesSent += body.length
  const response = await connection.send({ method: 'POST', path, headers: { ...headers, ...own }, body, signal })
  if (response.status !== 200) throw await errorOfTransfer(response)
  const contentType = single(response.headers, 'content-type') ?? ''
  if (contentType.split(';', 1)[0]?.trim() !== type) {
    response.discard()
    const shown = JSON.stringify(contentType.slice(0, 80))
    throw malformedResponse(`content-type must be ${type}, not ${shown}; is this a blobwire server?`)
  }
  let received: { readonly flags: number; readonly payload: Uint8Array }[] = []
  const parser = new EnvelopeParser(maxResponseBytes, (flags, payload) => void received.push({ flags, payload }))
  for await (const chunk of response.chunks) {
    counters.bytesReceived += chunk.length
    counters.uncompressedBytesReceived += chunk.length
    readPiece(() => parser.push(chunk))
    const envelopes = received
    received = []
    for (const { flags, payload } of envelopes) {
      if (flags === endStreamFlag) {
        const error = errorFromEndStream(payload)
        if (error) throw error
        return
      }
      if (flags !== 0) throw malformedResponse('a compressed message, for which nobody asked')
      yield readPiece(() => codec.decode(method.response, payload)) as Response
    }
  }
  throw new BlobwireError({ code: 'unavailable', message: 'the stream broke off', sent: 'maybe' })
}

function readPiece<Result>(read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    throw asResponseError(error)
  }
}
