/** Uploads over gRPC: the client stream UploadBlob. */
import type { ClientWritableStream } from '@grpc/grpc-js'
import { decodeProtobuf, encodeProtobuf } from '../../codec/protobuf.ts'
import { encodeProtobufHead } from '../../codec/protobuf-tail.ts'
import { asIs } from '../../connection/grpc/connection.ts'
import { HeldBytes } from '../../connection/held-bytes.ts'
import { Turns } from '../../connection/turns.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages, UploadBlobResponse } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { asResponseError } from '../errors.ts'
import type { UploadAttempt } from '../transfer.ts'
import { type GrpcTransferContext, TransferCall } from './transfer-call.ts'

/** Larger chunks go in several messages: a server takes no message above `maxBatchBytes`. */
const maxChunkBytes = 256 * 1024

const noBytes = new Uint8Array(0)

type UploadStream = ClientWritableStream<Uint8Array | ChunkMessage>

/**
 * A message that grpc-js copies once, where it makes room for the prefix of the message. It asks for the length, and for
 * the copy, and for nothing else: a Buffer with the content would be a second copy. test/transport/transfers.test.ts fails
 * when that changes.
 */
class ChunkMessage {
  readonly length: number
  readonly #head: Uint8Array
  readonly #chunk: Uint8Array

  constructor(offset: number, chunk: Uint8Array) {
    this.#head = encodeProtobufHead('UploadBlobRequest', { offset }, { field: 'chunk', length: chunk.length })
    this.#chunk = chunk
    this.length = this.#head.length + chunk.length
  }

  copy(target: Uint8Array, at: number): void {
    target.set(this.#head, at)
    target.set(this.#chunk, at + this.#head.length)
  }
}

/** Both are copied as a Buffer is. */
const serialize = (message: Uint8Array | ChunkMessage): Buffer => message as Buffer

/** Sends the rest of a blob. @throws the errors of the source, and BlobwireError */
export function uploadOverGrpc(context: GrpcTransferContext, attempt: UploadAttempt): Promise<UploadBlobResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<UploadBlobResponse>()
  const sender = new Sender(attempt)
  const call = new TransferCall<UploadStream>(context, attempt, {
    method: methods.uploadBlob,
    open: ({ client, path, metadata }) =>
      client.makeClientStreamRequest(path, serialize, asIs, metadata, {}, (error, response) => {
        sender.stop()
        if (response !== undefined) call.received()
        call.end()
        if (error) reject(call.errorOf(error))
        else resolve(decoded(response))
      }),
    onEnd: (error) => {
      sender.stop()
      reject(error)
    }
  })
  call.stream.on('error', () => undefined)
  sender.send(call.stream).catch((error) => call.fail(error))
  return promise
}

function decoded(response: Buffer | undefined): UploadBlobResponse | Promise<never> {
  try {
    return decodeProtobuf('UploadBlobResponse', response ?? noBytes)
  } catch (error) {
    return Promise.reject(asResponseError(error))
  }
}

function encoded(message: Init<Messages['UploadBlobRequest']>): Uint8Array {
  return encodeProtobuf('UploadBlobRequest', message)
}

/** Sends the messages of one attempt. */
class Sender {
  readonly #attempt: UploadAttempt
  readonly #held = new HeldBytes()
  readonly #turns = new Turns()
  #source: AsyncIterator<Uint8Array> | undefined
  #offset: number
  #isOver = false

  constructor(attempt: UploadAttempt) {
    this.#attempt = attempt
    this.#offset = attempt.offset
  }

  async send(stream: UploadStream): Promise<void> {
    const { repository, uploadId, size, oid, chunks } = this.#attempt
    const known = size === undefined ? {} : { size }
    this.#write(stream, encoded({ repository, uploadId, offset: this.#offset, oid, ...known }))
    const source = chunks[Symbol.asyncIterator]()
    this.#source = source
    while (!this.#isOver) {
      const { done, value } = await source.next()
      if (this.#isOver) return
      if (done) return this.#complete(stream)
      for (let at = 0; at < value.length && !this.#isOver; at += maxChunkBytes) {
        const chunk = value.subarray(at, at + maxChunkBytes)
        const room = this.#write(stream, new ChunkMessage(this.#offset, chunk))
        this.#offset += chunk.length
        if (room !== undefined) await room
        await this.#turns.pass(chunk.length)
      }
    }
  }

  /** The server has answered, or the stream has ended: it needs nothing more. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#held.stop()
    this.#source?.return?.().catch(() => undefined)
  }

  #complete(stream: UploadStream): void {
    const { oid, sha256 } = this.#attempt.digests()
    this.#write(stream, encoded({ offset: this.#offset, complete: true, oid, sha256: sha256 ?? noBytes }))
    stream.end()
    this.#isOver = true
  }

  #write(stream: UploadStream, message: Uint8Array | ChunkMessage): Promise<void> | undefined {
    const { length } = message
    const room = this.#held.add(length)
    stream.write(message, () => this.#held.taken(length))
    return room
  }
}
