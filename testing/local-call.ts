/** Unary calls and large blobs of a client in the same process. */
import { maxRequestBytes } from '../server-fixture/listener.ts'
import type { CallContext } from '../server-fixture/service/context.ts'
import { operationError, toBlobwireError } from '../server-fixture/service/error-detail.ts'
import { limitExceeded } from '../server-fixture/service/errors.ts'
import { within } from '../server-fixture/service/within.ts'
import type { Codec } from '../src/codec/codec.ts'
import { BlobwireError } from '../src/core/error.ts'
import { pathFields } from '../src/git/raw-path.ts'
import type { Init, MessageName } from '../src/schema/descriptor.ts'
import type { Messages, UploadBlobResponse } from '../src/schema/messages.ts'
import { methods } from '../src/schema/methods.ts'
import { asResponseError, errorOfOperation } from '../src/transport/errors.ts'
import type { DownloadAttempt, IncomingBlob, UploadAttempt } from '../src/transport/transfer.ts'
import type { UnaryCall } from '../src/transport/transport.ts'
import type { LocalServer } from './local-server.ts'
import type { CallStream } from './local-stream.ts'

/** Taken before a test replaces the timers. */
const { setImmediate: turnTimer } = globalThis

/** Calls the function in a later turn of the event loop, as the network does. */
export function turn(callback: () => void): void {
  turnTimer(callback)
}

/** An error of the server as its client reads it: what travels is the code, the message and the details. */
export function answerError(error: unknown, requestId: string): BlobwireError {
  // A fault of the stream, which the service knows nothing of.
  if (error instanceof BlobwireError && error.attempts > 0) return error
  return errorOfOperation(operationError(toBlobwireError(error), requestId))
}

/** What a call works with. */
export interface LocalCallContext {
  readonly server: LocalServer
  readonly codec: Codec<'json' | 'msgpack'>
  readonly maxResponseBytes: number
}

/** A call that has arrived. */
interface ArrivedCall extends CallContext {
  readonly stream: CallStream
}

interface Arriving {
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** Carries out work for a call, in a later turn. @throws BlobwireError */
async function arrived<Result>(
  { server }: LocalCallContext,
  rpc: string,
  { headers, signal }: Arriving,
  work: (call: ArrivedCall) => Promise<Result>
): Promise<Result> {
  await new Promise<void>(turn)
  signal.throwIfAborted()
  let stream: CallStream | undefined
  try {
    const found = server.arrive(rpc, headers)
    stream = found.stream
    const close = () => found.stream.close()
    signal.addEventListener('abort', close, { once: true })
    try {
      const principal = server.authenticator.authenticate(rpc, headers['authorization'])
      const context = { principal, signal: stream.gone.signal, requestId: found.requestId, stream }
      return await stream.unlessReset(work(context))
    } finally {
      signal.removeEventListener('abort', close)
    }
  } catch (error) {
    throw error instanceof SourceFailure ? error.cause : answerError(error, headers['x-request-id'] ?? '')
  }
}

/** The source of an upload has failed, at the client. */
class SourceFailure extends Error {}

async function* fromSource(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (cause) {
    throw new SourceFailure('', { cause })
  }
}

/** One unary call. @throws BlobwireError */
export async function localUnary(context: LocalCallContext, call: UnaryCall): Promise<object> {
  const { method, events } = call
  const { codec, server } = context
  const request = Uint8Array.from(codec.encode(method.request, call.request as Init<Messages[MessageName]>))
  events?.event('encoded', { bytes: request.length })
  events?.event('sent', { bytes: request.length, requestId: call.headers['x-request-id'] })
  const answer = await arrived(context, method.name, call, async ({ stream, ...caller }) => {
    const maxBytes = maxRequestBytes(method, server.service.limits)
    if (request.length > maxBytes) throw limitExceeded('max_batch_bytes', maxBytes, request.length)
    const timeoutMs = Math.max(0, call.remainingMs())
    const decoded = codec.decode(method.request, request)
    const deadlineMs = performance.now() + timeoutMs
    const response = await within(
      timeoutMs,
      server.service.call(method.name, decoded, { ...caller, deadlineMs }),
      stream.gone
    )
    return stream.corrupted(codec.encode(method.response, response as Init<Messages[MessageName]>))
  })
  events?.event('answered', { bytes: answer.length })
  if (answer.length > context.maxResponseBytes) {
    const message = `the answer has ${answer.length} bytes, more than maxResponseBytes (${context.maxResponseBytes})`
    throw new BlobwireError({ reason: 'response_too_large', message, sent: 'processed', attempts: 1 })
  }
  try {
    const response = codec.decode(method.response, answer)
    events?.event('decoded', { bytes: answer.length })
    return response
  } catch (error) {
    throw asResponseError(error).with({ attempts: 1 })
  }
}

/** One attempt of an upload. @throws BlobwireError */
export function localUpload(context: LocalCallContext, attempt: UploadAttempt): Promise<UploadBlobResponse> {
  const { repository, uploadId, size, offset, oid, chunks, digests } = attempt
  return arrived(context, methods.uploadBlob.name, attempt, async ({ stream, ...caller }) => {
    const opening = { repository, uploadId, size, offset, oid: oid || undefined }
    const upload = await context.server.service.upload(opening, caller)
    try {
      for await (const chunk of fromSource(chunks)) {
        if (stream.isClosed) break
        await upload.write(Uint8Array.from(chunk))
      }
      if (stream.isClosed) return await upload.release()
      return await upload.finish(digests())
    } catch (error) {
      await upload.release()
      throw error
    }
  })
}

/** One attempt of a download. @throws BlobwireError */
export function localDownload(context: LocalCallContext, attempt: DownloadAttempt): Promise<IncomingBlob> {
  const { repository, oid, revision, path, offset, length = 0, digestFrom } = attempt
  const fields = { rawPath: new Uint8Array(0), ...pathFields(Buffer.from(path, 'latin1')) }
  const request = { repository, oid, revision, offset, length, digestFrom, ...fields }
  return arrived(context, methods.downloadBlob.name, attempt, async ({ stream, ...caller }) => {
    const blob = await context.server.service.download(request, caller)
    const close = () => {
      stream.close()
      void blob.close()
    }
    return {
      oid: blob.oid,
      size: blob.size,
      chunks: received(blob.chunks(), stream, close),
      get sha256() {
        return blob.sha256
      }
    }
  })
}

/** The chunks, until a fault resets the stream. */
async function* received(
  chunks: AsyncIterable<Uint8Array>,
  stream: CallStream,
  close: () => void
): AsyncGenerator<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await stream.unlessReset(iterator.next())
      if (next.done) return
      yield Uint8Array.from(next.value)
    }
  } catch (error) {
    throw answerError(error, '')
  } finally {
    close()
  }
}
