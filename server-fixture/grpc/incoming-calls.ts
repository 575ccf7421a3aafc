/** The calls of the gRPC server before grpc-js reads anything of them: who calls, and the bytes that their streams hold. */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status
} from '@grpc/grpc-js'
import { BlobwireError } from '../../src/core/error.ts'
import { methods, serviceName } from '../../src/schema/methods.ts'
import type { Authenticator } from '../auth.ts'
import { drainStream } from '../http/drain.ts'
import { maxAnonymousBytes } from '../listener.ts'
import { Charge, type MemoryBudget } from '../memory-budget.ts'
import { type Principal, requestIdOf } from '../service/context.ts'
import { toBlobwireError } from '../service/error-detail.ts'
import { toStatus } from './errors.ts'
import { metadataValue } from './metadata.ts'
import { type Encoding, encodingOf, prefixBytes } from './requests.ts'

/** A call of a caller who is known. */
export interface IncomingCall {
  readonly stream: ServerHttp2Stream
  readonly requestId: string
  readonly principal: Principal
  readonly encoding: Encoding
  /** Holds the bytes of the stream as they come; released when the stream closes. */
  readonly charge: Charge
  /** Called for each chunk of the stream. @throws BlobwireError */
  onChunk: () => void
  /** Called where the budget has no room for more of the stream, or `onChunk` threw; the rest is read and dropped. */
  onFull: (error: BlobwireError) => void
  /**
   * The stream, of which grpc-js reads no more: it still answers. From now on nothing holds bytes of it in `charge`.
   * grpc-js has to have read nothing, as before a handler of a client stream asks for a message.
   */
  takeOver(): ServerHttp2Stream
}

/** A stream of which grpc-js is making a call. */
interface Arrival {
  readonly stream: ServerHttp2Stream
  readonly encoding: string
}

/** The objects that incoming calls are checked with. */
export interface IncomingCallsDependencies {
  readonly authenticator: Authenticator
  readonly memory: MemoryBudget
  /** Longest message that grpc-js takes. */
  readonly maxMessageBytes: number
  /** Time for the message of a unary call to arrive. */
  readonly bodyTimeoutMs: number
}

/** The calls of one gRPC server. */
export class IncomingCalls {
  readonly #dependencies: IncomingCallsDependencies
  readonly #calls = new WeakMap<Metadata, IncomingCall>()
  #arrival: Arrival | undefined

  constructor(dependencies: IncomingCallsDependencies) {
    this.#dependencies = dependencies
  }

  /**
   * Notes each stream before grpc-js makes a call of it, in the same turn. grpc-js would decompress a message as soon as
   * it has come, and several at once: without the header, it leaves that to the handlers.
   */
  watch(http2: Http2Server): void {
    http2.prependListener('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      this.#arrival = { stream, encoding: String(headers['grpc-encoding'] ?? 'identity') }
      delete headers['grpc-encoding']
    })
    // After grpc-js, which answers unknown methods and content types at once, and leaves Node to reset the stream.
    http2.on('stream', (stream: ServerHttp2Stream) => {
      if (stream.headersSent && !stream.endAfterHeaders) drainStream(stream)
    })
  }

  /** The call of a handler, by its metadata. */
  of(metadata: Metadata): IncomingCall {
    return this.#calls.get(metadata) as IncomingCall
  }

  /** Refuses callers by their metadata: grpc-js reads nothing of the stream before a handler has the metadata. */
  readonly interceptor: ServerInterceptor = ({ path, requestStream }, call) => {
    const arrival = this.#arrival as Arrival
    const [, service, rpc = ''] = path.split('/')
    const isOurs = service === serviceName
    let message: AnonymousMessage | undefined
    return new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, forward) => {
            try {
              if (isOurs)
                this.#calls.set(metadata, this.#admit(call, { ...arrival, metadata, rpc, isUnary: !requestStream }))
              if (!isOurs || rpc === methods.getCapabilities.name) message = new AnonymousMessage(arrival.stream, call)
              if (!requestStream) this.#limitBody(call, { ...arrival, metadata })
              forward(metadata)
            } catch (error) {
              refuse(call, error, metadata)
              drainStream(arrival.stream)
            }
          },
          onReceiveMessage: (received, forward) => {
            message?.end()
            forward(received)
          }
        })
    })
  }

  #limitBody(
    call: ServerInterceptingCallInterface,
    { stream, metadata }: Pick<Arrival, 'stream'> & { metadata: Metadata }
  ): void {
    const { bodyTimeoutMs } = this.#dependencies
    const timer = setTimeout(() => {
      const message = `the request did not arrive within ${bodyTimeoutMs} ms`
      refuse(call, new BlobwireError({ code: 'deadline_exceeded', message }), metadata)
      drainStream(stream.removeAllListeners('data'))
    }, bodyTimeoutMs)
    const stop = () => clearTimeout(timer)
    stream.once('end', stop).once('close', stop)
  }

  /** @throws BlobwireError `unauthenticated`; `unimplemented` for an unknown encoding */
  #admit(
    call: ServerInterceptingCallInterface,
    { stream, encoding, metadata, rpc, isUnary }: Arrival & { metadata: Metadata; rpc: string; isUnary: boolean }
  ): IncomingCall {
    const { authenticator, memory, maxMessageBytes } = this.#dependencies
    const principal = authenticator.authenticate(rpc, metadataValue(metadata, 'authorization'))
    const incoming: IncomingCall = {
      stream,
      takeOver() {
        incoming.charge.release()
        return stream.removeAllListeners('data')
      },
      onChunk: () => undefined,
      requestId: requestIdOf(metadataValue(metadata, 'x-request-id')),
      principal,
      encoding: encodingOf(encoding),
      charge: new Charge(memory.of(stream.session ?? stream)),
      onFull: (error) => refuse(call, error, metadata)
    }
    let receivedBytes = 0
    let chargedBytes = 0
    // At once: of many messages that come together, those that are complete first would have no room to the end.
    const declaredBytes = (chunk: Uint8Array) =>
      isUnary && receivedBytes === 0 ? lengthOfFirst(chunk, maxMessageBytes) : 0
    const take = (chunk: Uint8Array) => {
      try {
        const bytes = Math.max(receivedBytes + chunk.length, chargedBytes, declaredBytes(chunk))
        incoming.charge.add(bytes - chargedBytes)
        chargedBytes = bytes
        receivedBytes += chunk.length
        incoming.onChunk()
      } catch (error) {
        // grpc-js would go on to collect the message.
        drainStream(stream.removeAllListeners('data'))
        incoming.onFull(error as BlobwireError)
      }
    }
    stream.prependListener('data', take)
    stream.once('close', () => incoming.charge.release())
    return incoming
  }
}

/** Length of the message that begins with this chunk; 0 = not told yet, or so long that grpc-js refuses it. */
function lengthOfFirst(chunk: Uint8Array, maxBytes: number): number {
  if (chunk.length < prefixBytes) return 0
  const length = new DataView(chunk.buffer, chunk.byteOffset).getUint32(1)
  return length <= maxBytes ? prefixBytes + length : 0
}

/** A message of a caller whom nobody knows, while grpc-js collects it. */
class AnonymousMessage {
  #bytes = 0

  constructor(stream: ServerHttp2Stream, call: ServerInterceptingCallInterface) {
    stream.prependListener('data', (chunk: Uint8Array) => {
      this.#bytes += chunk.length
      if (this.#bytes <= maxAnonymousBytes) return
      drainStream(stream.removeAllListeners('data'))
      const message = `a message of this method must not exceed ${maxAnonymousBytes} bytes`
      refuse(call, new BlobwireError({ code: 'resource_exhausted', message }))
    })
  }

  end(): void {
    this.#bytes = 0
  }
}

function refuse(call: ServerInterceptingCallInterface, error: unknown, metadata?: Metadata): void {
  const requestId = requestIdOf(metadata && metadataValue(metadata, 'x-request-id'))
  call.sendStatus({ code: status.UNKNOWN, details: '', ...toStatus(toBlobwireError(error), requestId) })
}
