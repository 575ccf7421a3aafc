/** Downloads as messages: the RPC DownloadBlob, over Connect and gRPC. */
import type { Messages } from '../../src/schema/messages.ts'
import type { OutgoingBlob } from '../service/vcs-service.ts'

type Response = Messages['DownloadBlobResponse']

const noBytes = new Uint8Array(0)

/** Sends a message; a promise where it waits for room. */
export type SendMessage = (message: Response) => Promise<void> | undefined

/** Sends the messages of a blob. @throws BlobwireError of the blob or of `send` */
export async function sendBlobMessages(blob: OutgoingBlob, send: SendMessage): Promise<void> {
  let offset = blob.start
  const begun = send({ offset, size: blob.size, oid: blob.oid, chunk: noBytes, sha256: noBytes })
  if (begun) await begun
  for await (const chunk of blob.chunks()) {
    const sent = send({ offset, size: 0, oid: '', chunk, sha256: noBytes })
    offset += chunk.length
    if (sent) await sent
  }
  const { sha256 } = blob
  if (sha256) await send({ offset, size: 0, oid: '', chunk: noBytes, sha256 })
}
