/** Learns oid and size of a blob without its content. */
import { asBlobwireError } from '../core/error.ts'
import type { BlobSource } from './blob-source.ts'
import { openBlob } from './open-blob.ts'
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
  const incoming = await openBlob(attempt, { ...source.address, offset: 0, length, digestFrom: undefined })
  source.take(incoming)
  for await (const chunk of incoming.chunks) {
    attempt.moved(chunk.length)
    if (length === undefined) break
  }
}
