/**
 * The functions of calls that many programs never make. Runtimes that load programs over a network load them when they are
 * called (`web/on-demand.ts`).
 */
export { runBatchOfAnySize } from './batch-uploads.ts'
export { commitFiles } from './commit-files.ts'
export { storeLargeBlob } from './large-content.ts'
export { storeSignedCommit, storeSignedTag } from './signed-objects.ts'
export { upload } from './uploads.ts'
