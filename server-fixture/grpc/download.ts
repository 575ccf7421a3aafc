/** DownloadBlob as a server stream of gRPC. */
import { Metadata, type ServerWritableStream } from '@grpc/grpc-js'
import { encodeProtobuf } from '../../src/codec/protobuf.ts'
import type { Messages } from '../../src/schema/messages.ts'
import { methods } from '../../src/schema/methods.ts'
import { maxRequestBytes } from '../listener.ts'
import { sendBlobMessages } from '../transfers/download-messages.ts'
import { Output } from '../transfers/output.ts'
import { clientGone, openTransfer } from '../transfers/transfer.ts'
import { decodeRequest, prefixBytes, type RawRequest } from './requests.ts'
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
        const { chunk } = message
        const head = headOf(message)
        output.write(head, head.length)
        if (chunk.length > 0) output.write(chunk, chunk.length)
        return output.room()
      })
    } finally {
      await blob.close()
    }
  } finally {
    transfer.end()
  }
}

const noBytes = new Uint8Array(0)

/** A message up to its chunk: gRPC's prefix, the other fields, and the tag and length of the chunk, which is sent as it is. */
function headOf(message: Messages['DownloadBlobResponse']): Uint8Array {
  const { chunk } = message
  const fields = encodeProtobuf('DownloadBlobResponse', { ...message, chunk: noBytes })
  const tag = chunk.length > 0 ? chunkTag(chunk.length) : noBytes
  const head = Buffer.allocUnsafe(prefixBytes + fields.length + tag.length)
  head[0] = 0
  head.writeUInt32BE(fields.length + tag.length + chunk.length, 1)
  head.set(fields, prefixBytes)
  head.set(tag, prefixBytes + fields.length)
  return head
}

/** Field 3, whose wire type is LEN (Protocol Buffers, "Encoding"). */
function chunkTag(length: number): Uint8Array {
  const bytes = [(3 << 3) | 2]
  let rest = length
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128)
  return Uint8Array.from([...bytes, rest])
}
