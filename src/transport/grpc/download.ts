/** Downloads over gRPC: the server stream DownloadBlob. */
import { ChunkMessages } from '../../codec/chunk-messages.ts'
import { encodeEnvelope } from '../../codec/envelope.ts'
import { decodeProtobuf, encodeProtobuf } from '../../codec/protobuf.ts'
import type { BlobwireError } from '../../core/error.ts'
import { pathFields } from '../../git/raw-path.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { asResponseError, malformedResponse } from '../errors.ts'
import { checkRange, exactly, type IncomingRange } from '../incoming-range.ts'
import type { DownloadAttempt, IncomingBlob } from '../transfer.ts'
import { type GrpcTransferContext, openGrpcTransfer, readToStatus } from './transfer.ts'

type Message = Messages['DownloadBlobResponse']

/** Receives a blob, or a range of it. `toError` makes the errors of its chunks. @throws BlobwireError, and the errors of node:http2 */
export async function downloadOverGrpc(
  context: GrpcTransferContext,
  attempt: DownloadAttempt,
  toError: (exception: unknown) => BlobwireError
): Promise<IncomingBlob> {
  const { headers, signal } = attempt
  const request = { method: methods.downloadBlob, headers, signal, body: messageOf(attempt) }
  const response = await openGrpcTransfer(context, request)
  const receiver = new Receiver(readToStatus(context, response), attempt.offset, context.maxResponseBytes)
  try {
    const first = await receiver.first()
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
    response.discard()
    throw error
  }
}

async function* messageOf(attempt: DownloadAttempt): AsyncGenerator<Uint8Array> {
  const { repository, oid, offset, length = 0, revision, path, digestFrom } = attempt
  const request: Init<Messages['DownloadBlobRequest']> = {
    repository,
    oid,
    offset,
    length,
    revision,
    ...pathFields(Buffer.from(path, 'latin1')),
    ...(digestFrom === undefined ? {} : { digestFrom })
  }
  yield encodeEnvelope(0, encodeProtobuf('DownloadBlobRequest', request))
}

/** Reads the messages of one attempt. */
class Receiver {
  readonly #pieces: AsyncGenerator<Uint8Array, void>
  readonly #reader: ChunkMessages<'DownloadBlobResponse'>
  #waiting: Message[] = []
  #offset: number
  /** Of the last message. */
  sha256: Uint8Array | undefined

  constructor(pieces: AsyncGenerator<Uint8Array, void>, offset: number, maxBytes: number) {
    this.#pieces = pieces
    this.#offset = offset
    this.#reader = new ChunkMessages({
      type: 'DownloadBlobResponse',
      maxBytes,
      receive: (message) => this.#take(message),
      receiveWhole: (flags, payload) => {
        if (flags !== 0) throw malformedResponse('a compressed message, for which nobody asked')
        this.#take(decodeProtobuf('DownloadBlobResponse', payload))
      }
    })
  }

  /** The first message. */
  async first(): Promise<Message> {
    for (;;) {
      const message = this.#waiting.shift()
      if (message) return message
      const { done, value } = await this.#pieces.next()
      if (done) throw malformedResponse('the stream of a blob has no message')
      this.#push(value)
    }
  }

  /** To leave the loop ends the stream. */
  async *chunks(first: Message): AsyncGenerator<Uint8Array, void> {
    try {
      if (first.chunk.length > 0) yield first.chunk
      for (;;) {
        for (const { chunk } of this.#waiting) if (chunk.length > 0) yield chunk
        this.#waiting = []
        const { done, value } = await this.#pieces.next()
        if (done) return
        this.#push(value)
      }
    } finally {
      await this.#pieces.return()
    }
  }

  #push(piece: Uint8Array): void {
    try {
      this.#reader.push(piece)
    } catch (error) {
      throw asResponseError(error)
    }
  }

  #take(message: Message): void {
    const { offset, chunk, sha256 } = message
    if (offset !== this.#offset) {
      throw malformedResponse(`a chunk for offset ${offset}, where ${this.#offset} was due`)
    }
    this.#offset += chunk.length
    if (sha256.length > 0) this.sha256 = sha256
    this.#waiting.push(message)
  }
}
