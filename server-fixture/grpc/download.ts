/** DownloadBlob as a server stream of gRPC. */
import type { ServerWritableStream } from '@grpc/grpc-js'
import { toWire } from '../../src/codec/wire-object.ts'
import { methods } from '../../src/schema/methods.ts'
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
  const transfer = openTransfer(context, incoming.stream.session ?? incoming.stream, context.idleTimeoutMs)
  stream.once('cancelled', () => transfer.abort(clientGone()))
  try {
    const maxBytes = maxRequestBytes(methods.downloadBlob, service.limits)
    const request = await decodeRequest('DownloadBlobRequest', stream.request, { encoding, maxBytes, charge })
    const blob = await service.download(request, { principal, signal: transfer.signal, requestId })
    try {
      const output = new Output<object>(stream, transfer)
      await sendBlobMessages(blob, (message) => {
        output.write(toWire('DownloadBlobResponse', message), message.chunk.length)
        return output.room()
      })
    } finally {
      await blob.close()
    }
  } finally {
    transfer.end()
  }
}
