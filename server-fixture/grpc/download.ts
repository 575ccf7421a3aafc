/** DownloadBlob as a server stream of gRPC. */
import { Metadata, type ServerWritableStream } from '@grpc/grpc-js'
import { protobufCodec } from '../../src/codec/protobuf-codec.ts'
import { methods } from '../../src/schema/methods.ts'
import { messagePieces } from '../http/message-stream.ts'
import { maxRequestBytes } from '../listener.ts'
import { sendBlobMessages } from '../transfers/download-messages.ts'
import { Output } from '../transfers/output.ts'
import { clientGone, openTransfer } from '../transfers/transfer.ts'
import { decodeRequest, type RawRequest } from './requests.ts'
import type { GrpcTransferContext } from './upload.ts'

export type DownloadStream = ServerWritableStream<RawRequest, object>

/** Answers one stream, but for its end. @throws BlobwireError */
export async function handleDownload(stream: DownloadStream, context: GrpcTransferContext): Promise<void> {
  const { service, incoming, requestId } = context
  const { principal, encoding, charge } = incoming
  const { record } = incoming
  const connection = incoming.stream.session ?? incoming.stream
  const transfer = openTransfer(context, { connection, record }, context.idleTimeoutMs)
  stream.once('cancelled', () => transfer.abort(clientGone()))
  try {
    const maxBytes = maxRequestBytes(methods.downloadBlob, service.limits)
    const request = await decodeRequest('DownloadBlobRequest', stream.request, { encoding, maxBytes, charge, record })
    record.called(methods.downloadBlob.name, request)
    const blob = await service.download(request, { principal, signal: transfer.signal, requestId })
    try {
      stream.sendMetadata(new Metadata())
      // grpc-js would copy each chunk twice, which takes longer than to hash it.
      const output = new Output<Uint8Array>(incoming.stream, transfer)
      await sendBlobMessages(blob, (message) => {
        for (const piece of messagePieces(protobufCodec, 'DownloadBlobResponse', message)) {
          output.write(piece, piece.length)
        }
        return output.room()
      })
    } finally {
      await blob.close()
    }
  } finally {
    transfer.end()
  }
}
