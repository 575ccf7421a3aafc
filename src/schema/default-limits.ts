/** The default limits, for the client and for the server fixture. */
import type { Messages } from './messages.ts'

/** The limits of a server, as its capabilities list them. */
export type Limits = Messages['Limits']

/** The limits that servers have by default, and that clients assume until they know better. */
export const defaultLimits: Limits = {
  maxInlineBytes: 1024 * 1024,
  maxBatchOperations: 1000,
  maxBatchBytes: 4 * 1024 * 1024,
  chunkBytes: 256 * 1024,
  maxBlobBytes: 5 * 1024 * 1024 * 1024,
  maxInFlightBytes: 64 * 1024 * 1024,
  maxConnectionInFlightBytes: 32 * 1024 * 1024,
  maxUploadBytes: 20 * 1024 * 1024 * 1024,
  uploadIdleSeconds: 24 * 3600
}
