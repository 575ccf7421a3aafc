/** In the place of `client/on-demand.ts`: the functions are loaded when they are called. */
import type * as Replaced from '../on-demand.ts'

const largeContent = () => import('../large-content.ts')
const signedObjects = () => import('../signed-objects.ts')

export const commitFiles: typeof Replaced.commitFiles = async (...given) =>
  (await import('../commit-files.ts')).commitFiles(...given)

export const runBatchOfAnySize: typeof Replaced.runBatchOfAnySize = async (...given) =>
  (await import('../batch-uploads.ts')).runBatchOfAnySize(...given)

export const storeLargeBlob: typeof Replaced.storeLargeBlob = async (...given) =>
  (await largeContent()).storeLargeBlob(...given)

export const storeSignedCommit: typeof Replaced.storeSignedCommit = async (...given) =>
  (await signedObjects()).storeSignedCommit(...given)

export const storeSignedTag: typeof Replaced.storeSignedTag = async (...given) =>
  (await signedObjects()).storeSignedTag(...given)

export const upload: typeof Replaced.upload = async (...given) => (await import('../uploads.ts')).upload(...given)
