/** Learns oid and size of a blob without its content. */
import { asBlobwireError } from '../core/error.ts'
import type { BlobSource } from './blob-source.ts'
import type { TransferAttempt } from './transfer.ts'

/** One attempt: one byte says all. An empty blob has none, and is asked for whole. @throws BlobwireError */
export async function findBlob(source: BlobSource, attempt: TransferAttempt): Promise<void> {
  try {
    await receiveByte(source, attempt, 1)
  } catch (error) {
    if (asBlobwireError(error).code !== 'out_of_range') throw error
    await receiveByte(source, attempt, undefined)
  }
}

async function receiveByte(source: BlobSource, attempt: TransferAttempt, length: number | undefined): Promise<void> {
  const { headers, signal, transport } = attempt
  const place = { offset: 0, length, digestFrom: undefined }
  const incoming = await transport.download({ ...source.address, ...place, headers, signal })
  source.take(incoming)
  for await (const chunk of incoming.chunks) {
    attempt.moved(chunk.length)
    if (length === undefined) break
  }
}
