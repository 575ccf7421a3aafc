import type { Messages } from '../../src/schema/messages.ts'

/** What the service accepts; all of it is told in the capabilities. */
export type Limits = Messages['Limits']

/** The limits of docs/protocol.md. */
export const defaultLimits: Limits = {
  maxInlineBytes: 1024 * 1024,
  maxBatchOperations: 1000,
  maxBatchBytes: 4 * 1024 * 1024,
  chunkBytes: 256 * 1024,
  maxBlobBytes: 5 * 1024 * 1024 * 1024
}
