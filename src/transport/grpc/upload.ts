/** Uploads over gRPC: the client stream UploadBlob. */
import { EnvelopeParser, encodeEnvelope, envelopeHeaderBytes, sealEnvelopeHead } from '../../codec/envelope.ts'
import { decodeProtobuf, encodeProtobuf } from '../../codec/protobuf.ts'
import { encodeProtobufHead } from '../../codec/protobuf-tail.ts'
import type { Init } from '../../schema/descriptor.ts'
import type { Messages, UploadBlobResponse } from '../../schema/messages.ts'
import { methods } from '../../schema/methods.ts'
import { asResponseError, malformedResponse } from '../errors.ts'
import type { UploadAttempt } from '../transfer.ts'
import { type GrpcTransferContext, openGrpcTransfer, readToStatus } from './transfer.ts'

/** Larger chunks go in several messages: a server takes no message above `maxBatchBytes`. */
const maxChunkBytes = 256 * 1024

const noBytes = new Uint8Array(0)

/** Sends the rest of a blob. @throws the errors of the source, and BlobwireError */
export async function uploadOverGrpc(
  context: GrpcTransferContext,
  attempt: UploadAttempt
): Promise<UploadBlobResponse> {
  const { headers, signal } = attempt
  const request = { method: methods.uploadBlob, headers, signal, body: messagesOf(attempt) }
  const response = await openGrpcTransfer(context, request)
  let answer: UploadBlobResponse | undefined
  const parser = new EnvelopeParser(context.maxResponseBytes, (flags, payload) => {
    answer = decoded(flags, payload)
  })
  for await (const piece of readToStatus(context, response)) push(parser, piece)
  if (answer === undefined) throw malformedResponse('the answer to an upload has no message')
  return answer
}

function push(parser: EnvelopeParser, piece: Uint8Array): void {
  try {
    parser.push(piece)
  } catch (error) {
    throw asResponseError(error)
  }
}

function decoded(flags: number, payload: Uint8Array): UploadBlobResponse {
  if (flags !== 0) throw malformedResponse('a compressed message, for which nobody asked')
  return decodeProtobuf('UploadBlobResponse', payload)
}

function message(fields: Init<Messages['UploadBlobRequest']>): Uint8Array {
  return encodeEnvelope(0, encodeProtobuf('UploadBlobRequest', fields))
}

/** The messages, in pieces: chunks are sent as they are. */
async function* messagesOf(attempt: UploadAttempt): AsyncGenerator<Uint8Array> {
  const { repository, uploadId, size, oid, chunks } = attempt
  let { offset } = attempt
  yield message({ repository, uploadId, offset, oid, ...(size === undefined ? {} : { size }) })
  for await (const given of chunks) {
    for (let at = 0; at < given.length; at += maxChunkBytes) {
      const chunk = given.subarray(at, at + maxChunkBytes)
      yield headOf(offset, chunk)
      yield chunk
      offset += chunk.length
    }
  }
  const { oid: found, sha256 } = attempt.digests()
  yield message({ offset, complete: true, oid: found, sha256: sha256 ?? noBytes })
}

/** A message up to its chunk. */
function headOf(offset: number, { length }: Uint8Array): Uint8Array {
  const fields = encodeProtobufHead('UploadBlobRequest', { offset }, { field: 'chunk', length })
  const head = new Uint8Array(envelopeHeaderBytes + fields.length)
  head.set(fields, envelopeHeaderBytes)
  return sealEnvelopeHead(head, length)
}
