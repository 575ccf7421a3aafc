import { requestError } from '../batch/older-server.ts'
import { BlobwireError } from '../core/error.ts'
import { methods } from '../schema/methods.ts'
import type { DownloadAttempt, IncomingBlob } from '../transport/transfer.ts'
import type { TransferAttempt } from './transfer.ts'

/** Opens the stream of one attempt; a server that is older than downloads is told as such. @throws BlobwireError */
export async function openBlob(
  { transport, headers, signal }: TransferAttempt,
  request: Omit<DownloadAttempt, 'headers' | 'signal'>
): Promise<IncomingBlob> {
  try {
    return await transport.download({ ...request, headers, signal })
  } catch (error) {
    throw error instanceof BlobwireError ? requestError(error, { method: methods.downloadBlob }) : error
  }
}
