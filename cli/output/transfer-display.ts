/** Shows how far a transfer is: a bar on a terminal, a line now and then elsewhere, both on standard error. */
import type { TransferProgress } from '../../src/index.ts'
import type { Cli } from '../context.ts'
import {
  type DisplayOptions,
  megabytes,
  type ProgressDisplay,
  type ProgressView,
  progressDisplay
} from './progress-display.ts'

/** Files and bytes, as far as the totals are known. */
export const transferView: ProgressView<TransferProgress> = {
  share({ files, totalFiles, transferredBytes, totalBytes }) {
    return totalBytes === undefined || totalBytes === 0 ? [files, totalFiles] : [transferredBytes, totalBytes]
  },
  text({ phase, files, totalFiles, transferredBytes, totalBytes, bytesPerSecond }) {
    const of = totalBytes === undefined ? '' : ` of ${megabytes(totalBytes)}`
    // Small files do not count as moved.
    const rate = bytesPerSecond === 0 ? '' : `, ${megabytes(bytesPerSecond)}/s`
    return `${phase}: ${files}/${totalFiles} files, ${megabytes(transferredBytes)}${of}${rate}`
  }
}

export function transferDisplay(
  { io }: Pick<Cli, 'io'>,
  options: DisplayOptions
): Promise<ProgressDisplay<TransferProgress>> {
  return progressDisplay(io.stderr, transferView, options)
}
