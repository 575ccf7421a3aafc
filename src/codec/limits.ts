/**
 * The limits on messages that all codecs share. Each codec checks them before it makes objects of a message: an empty
 * message has two bytes in protobuf, with gzip a five-hundredth of one, and takes hundreds of bytes as objects.
 *
 * The limits follow from the fullest messages of sound peers, of `maxBatchBytes` (4 MiB) by default:
 * - Requests. The client counts at least 16 bytes for each value when it fills a request (`estimateBytes` of
 *   batch/split.ts, `perFieldBytes` of wire-object.ts), and more than 58 for each tree entry, change or ref in a list.
 * - Answers. The server counts at least 80 bytes for each ref, tree entry, change and commit when it fills the answer of a
 *   batch (`contentBytes` of service/batch.ts): at most 52,000 messages, and 210,000 values if all are tree entries. Pages
 *   have at most 10,000 items of 8 values, and 1,000 operations need 6,000 values besides their contents.
 *
 * test/codec/limits.test.ts makes these messages.
 */
import { BlobwireError } from '../core/error.ts'
import { defaultLimits } from '../schema/default-limits.ts'

/** Deepest nesting that a codec accepts; the schema needs 7. */
export const maxDepth = 64

/** Most values in one message: scalars, lists, and the messages in it. 262,144. */
export const maxValues = defaultLimits.maxBatchBytes / 16

/** Most messages in one message: an object costs several times as much as a scalar. 87,381. */
export const maxMessages = Math.floor(defaultLimits.maxBatchBytes / 48)

/**
 * The error of a message above one of the limits. Fewer operations may fit.
 * Clients report it as `response_too_large`.
 */
export function tooMany(kind: 'values' | 'messages'): BlobwireError {
  const maximum = kind === 'values' ? maxValues : maxMessages
  return new BlobwireError({
    reason: 'message_too_large',
    message: `the message has more than ${maximum} ${kind === 'values' ? 'values' : 'objects'}`
  })
}
