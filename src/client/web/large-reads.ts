/** In the place of `client/large-reads.ts`: downloads in the place of answers are loaded when an answer is too large. */
import { BlobwireError } from '../../core/error.ts'
import type * as Replaced from '../large-reads.ts'

export const mayBecomeDownload: typeof Replaced.mayBecomeDownload = new Set(['getBlob', 'getObject', 'batch'])

const isTooLarge = (error: unknown) =>
  error instanceof BlobwireError && error.details.limit?.limit === 'max_inline_bytes'

export const recoverRead: typeof Replaced.recoverRead = (client, failed) => {
  if (!isTooLarge(failed.error)) return undefined
  return import('../large-reads.ts').then((reads) => {
    const recovered = reads.recoverRead(client, failed)
    if (recovered === undefined) throw failed.error
    return recovered
  })
}

export const readLargeResults: typeof Replaced.readLargeResults = async (reading, { operations, results }, options) => {
  if (!results.some(({ error }) => isTooLarge(error))) return [...results]
  return (await import('../large-reads.ts')).readLargeResults(reading, { operations, results }, options)
}
