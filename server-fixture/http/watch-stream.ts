/** WatchRefs as a server stream. */
import type { Codec } from '../../src/codec/codec.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import type { Principal } from '../service/context.ts'
import { EncodedOnce } from '../service/watch/encoded-once.ts'
import type { WatchMessage } from '../service/watch/watch-messages.ts'
import { openTransfer } from '../transfers/transfer.ts'
import { serveWatch } from '../transfers/watch-output.ts'
import type { Exchange } from './exchange.ts'
import {
  decoderOf,
  failedEnd,
  type MessageStreamContext,
  messagePieces,
  readRequest,
  respondFailed,
  streamHeaders
} from './message-stream.ts'
import { authenticate } from './record.ts'

const encoders = new Map<Codec, EncodedOnce<WatchMessage>>()

function encoderOf(codec: Codec): EncodedOnce<WatchMessage> {
  let encoder = encoders.get(codec)
  if (encoder === undefined) {
    encoder = new EncodedOnce((message) => Buffer.concat(messagePieces(codec, 'WatchRefsResponse', message)))
    encoders.set(codec, encoder)
  }
  return encoder
}

/** Answers one stream. */
export async function handleWatchStream(exchange: Exchange, context: MessageStreamContext): Promise<void> {
  exchange.record.method = methods.watchRefs.name
  try {
    const principal = authenticate(exchange, methods.watchRefs.name, context)
    const request = await readWatch(exchange, context)
    exchange.record.called(methods.watchRefs.name, request)
    await serve(exchange, request, { ...context, principal })
  } catch (error) {
    respondFailed(exchange, context, error)
  }
}

async function serve(
  exchange: Exchange,
  request: Messages['WatchRefsRequest'],
  context: MessageStreamContext & { readonly principal: Principal }
): Promise<void> {
  const { codec, service, draining, deadline, requestId, principal } = context
  const stream = exchange.stream(200, streamHeaders(context), context.protocol.trailers)
  if (stream === undefined) return
  const encoder = encoderOf(codec)
  const gone = new AbortController()
  const error = await serveWatch(stream, {
    draining,
    deadline,
    encode: (message) => encoder.of(message),
    begin: (sink) => service.watch(request, sink, { principal, signal: gone.signal, requestId })
  })
  gone.abort()
  if (error) await new Promise<void>((resolve) => stream.end(failedEnd(exchange, context, error), () => resolve()))
}

async function readWatch(exchange: Exchange, context: MessageStreamContext): Promise<Messages['WatchRefsRequest']> {
  const transfer = openTransfer(context, exchange, context.bodyTimeoutMs)
  try {
    return await readRequest(exchange, { decode: decoderOf(context.codec, 'WatchRefsRequest'), context, transfer })
  } finally {
    transfer.end()
  }
}
