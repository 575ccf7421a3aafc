/** Downloads over gRPC: the server stream DownloadBlob. */
import type { ClientReadableStream, ServiceError } from '@grpc/grpc-js'
import { decodeProtobuf, encodeProtobuf } from '../../codec/protobuf.ts'
import { asIs } from '../../connection/grpc/connection.ts'
import { Turns } from '../../connection/turns.ts'
import type { BlobwireError } from '../../core/error.ts'
import { pathFields } from '../../git/raw-path.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { asResponseError, malformedResponse } from '../errors.ts'
import { checkRange, exactly, type IncomingRange } from '../incoming-range.ts'
import type { DownloadAttempt, IncomingBlob } from '../transfer.ts'
import { type GrpcTransferContext, TransferCall } from './transfer-call.ts'

type Message = Messages['DownloadBlobResponse']

/** Receives a blob, or a range of it. `toError` makes the errors of its chunks. @throws BlobwireError */
export async function downloadOverGrpc(
  context: GrpcTransferContext,
  attempt: DownloadAttempt,
  toError: (exception: unknown) => BlobwireError
): Promise<IncomingBlob> {
  const receiver = new Receiver(context, attempt)
  const first = await receiver.next()
  if (first === undefined) throw malformedResponse('the stream of a blob has no message')
  try {
    const { oid, size } = first
    const end = attempt.length === undefined ? size : Math.min(size, attempt.offset + attempt.length)
    const range: IncomingRange = { oid, size, start: first.offset, end }
    checkRange(attempt, range)
    return {
      oid,
      size,
      chunks: exactly(receiver.chunks(first), range, toError),
      get sha256() {
        return receiver.sha256
      }
    }
  } catch (error) {
    receiver.leave()
    throw error
  }
}

function requestOf({ repository, oid, offset, length = 0, revision, path, digestFrom }: DownloadAttempt): Uint8Array {
  const request: Init<Messages['DownloadBlobRequest']> = {
    repository,
    oid,
    offset,
    length,
    revision,
    ...pathFields(Buffer.from(path, 'latin1')),
    ...(digestFrom === undefined ? {} : { digestFrom })
  }
  return encodeProtobuf('DownloadBlobRequest', request)
}

/** Reads the messages of one attempt. */
class Receiver {
  readonly #call: TransferCall<ClientReadableStream<Buffer>>
  readonly #messages: AsyncIterator<Buffer>
  #offset: number
  /** Of the last message. */
  sha256: Uint8Array | undefined

  constructor(context: GrpcTransferContext, attempt: DownloadAttempt) {
    this.#offset = attempt.offset
    this.#call = new TransferCall<ClientReadableStream<Buffer>>(context, attempt, {
      method: methods.downloadBlob,
      open: ({ client, path, metadata }) =>
        client.makeServerStreamRequest(path, asIs, (bytes) => bytes, requestOf(attempt), metadata, {}),
      onEnd: (error) => this.#call.stream.destroy(error as Error)
    })
    this.#messages = this.#call.stream[Symbol.asyncIterator]()
  }

  /** The next message; undefined = the stream has ended. */
  async next(): Promise<Message | undefined> {
    try {
      const { done, value } = await this.#messages.next()
      if (done) {
        this.#call.end()
        return undefined
      }
      this.#call.received()
      return this.#checked(value)
    } catch (error) {
      const found = this.#call.errorOf(error as ServiceError)
      this.leave()
      throw found
    }
  }

  async *chunks(first: Message): AsyncGenerator<Uint8Array, void> {
    const turns = new Turns()
    try {
      if (first.chunk.length > 0) yield first.chunk
      for (;;) {
        const message = await this.next()
        if (message === undefined) return
        if (message.chunk.length > 0) yield message.chunk
        await turns.pass(message.chunk.length)
      }
    } finally {
      this.leave()
    }
  }

  /** Nobody reads on. */
  leave(): void {
    this.#call.stream.cancel()
    this.#call.end()
  }

  #checked(bytes: Buffer): Message {
    let message: Message
    try {
      message = decodeProtobuf('DownloadBlobResponse', bytes)
    } catch (error) {
      throw asResponseError(error)
    }
    const { offset, chunk, sha256 } = message
    if (offset !== this.#offset) {
      throw malformedResponse(`a chunk for offset ${offset}, where ${this.#offset} was due`)
    }
    this.#offset += chunk.length
    if (sha256.length > 0) this.sha256 = sha256
    return message
  }
}
