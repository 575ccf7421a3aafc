/** How the progress of a mirror is shown. */
import { megabytes, type ProgressView } from '../output/progress-display.ts'
import type { Progress } from './mirror.ts'

export const mirrorView: ProgressView<Progress> = {
  share: ({ files, totalFiles }) => [files, totalFiles],
  text({ files, totalFiles, transferredBytes, bytesPerSecond, refs, totalRefs }) {
    const rate = `${megabytes(bytesPerSecond)}/s`
    return `${files}/${totalFiles} objects, ${megabytes(transferredBytes)}, ${rate}, ${refs}/${totalRefs} refs`
  }
}
