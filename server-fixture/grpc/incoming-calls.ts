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
import type { Hosts } from '../hosts.ts'
import { drainStream } from '../http/drain.ts'
import { peerOf } from '../http/record.ts'
import { maxAnonymousBytes } from '../listener.ts'
import { Charge, type MemoryBudget } from '../memory-budget.ts'
import { RequestRecord } from '../metrics/request-record.ts'
import type { ServerMetrics } from '../metrics/server-metrics.ts'
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
  /** The call as the figures and the access log tell of it. */
  readonly record: RequestRecord
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
  readonly authority: string | undefined
}

/** Refuses a call. */
type Refuse = (error: unknown) => void

/** The objects that incoming calls are checked with. */
export interface IncomingCallsDependencies {
  /** The names by which the server may be asked; undefined = any. */
  readonly hosts?: Hosts | undefined
  readonly authenticator: Authenticator
  readonly memory: MemoryBudget
  readonly metrics: ServerMetrics
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
      const encoding = String(headers['grpc-encoding'] ?? 'identity')
      this.#arrival = { stream, encoding, authority: headers[':authority'] ?? headers.host }
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
            const record = isOurs ? this.#begin(rpc, arrival.stream, metadata) : undefined
            const refused = (error: unknown) => refuse(call, error, record)
            try {
              this.#dependencies.hosts?.check(arrival.authority)
              if (record !== undefined) {
                const admitted = this.#admit(refused, { ...arrival, metadata, isUnary: !requestStream, record })
                this.#calls.set(metadata, admitted)
              }
              if (!isOurs || rpc === methods.getCapabilities.name)
                message = new AnonymousMessage(arrival.stream, refused)
              if (!requestStream) this.#limitBody(refused, arrival.stream)
              forward(metadata)
            } catch (error) {
              refused(error)
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

  #begin(rpc: string, stream: ServerHttp2Stream, metadata: Metadata): RequestRecord {
    const id = requestIdOf(metadataValue(metadata, 'x-request-id'))
    const record = new RequestRecord(this.#dependencies.metrics, 'grpc', id)
    record.method = rpc
    if (record.accessLog) record.peer = peerOf(stream.session?.socket, metadataValue(metadata, 'user-agent'))
    if (record.tracing) record.traceHeaders = metadata.getMap()
    // A client may go before its message has come whole, and a handler knows of the call.
    stream.once('close', () => record.abandoned())
    return record
  }

  #limitBody(refused: Refuse, stream: ServerHttp2Stream): void {
    const { bodyTimeoutMs } = this.#dependencies
    const timer = setTimeout(() => {
      const message = `the request did not arrive within ${bodyTimeoutMs} ms`
      refused(new BlobwireError({ code: 'deadline_exceeded', message }))
      drainStream(stream.removeAllListeners('data'))
    }, bodyTimeoutMs)
    const stop = () => clearTimeout(timer)
    stream.once('end', stop).once('close', stop)
  }

  /** @throws BlobwireError `unauthenticated`; `unimplemented` for an unknown encoding */
  #admit(
    refused: Refuse,
    {
      stream,
      encoding,
      metadata,
      isUnary,
      record
    }: Arrival & { metadata: Metadata; isUnary: boolean; record: RequestRecord }
  ): IncomingCall {
    const { authenticator, memory, maxMessageBytes } = this.#dependencies
    const principal = authenticator.authenticate(record.method, metadataValue(metadata, 'authorization'))
    record.tokenName = principal.name
    const incoming: IncomingCall = {
      stream,
      takeOver() {
        incoming.charge.release()
        return stream.removeAllListeners('data')
      },
      onChunk: () => undefined,
      requestId: record.requestId,
      principal,
      record,
      encoding: encodingOf(encoding),
      charge: new Charge(memory.of(stream.session ?? stream)),
      onFull: refused
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

  constructor(stream: ServerHttp2Stream, refused: Refuse) {
    stream.prependListener('data', (chunk: Uint8Array) => {
      this.#bytes += chunk.length
      if (this.#bytes <= maxAnonymousBytes) return
      drainStream(stream.removeAllListeners('data'))
      const message = `a message of this method must not exceed ${maxAnonymousBytes} bytes`
      refused(new BlobwireError({ code: 'resource_exhausted', message }))
    })
  }

  end(): void {
    this.#bytes = 0
  }
}

function refuse(call: ServerInterceptingCallInterface, error: unknown, record: RequestRecord | undefined): void {
  const failure = toBlobwireError(error)
  record?.failed(failure)
  record?.end()
  const requestId = record?.requestId ?? requestIdOf(undefined)
  call.sendStatus({ code: status.UNKNOWN, details: '', ...toStatus(failure, requestId) })
}
