/** Shows how far a run is: a bar in a terminal, a line now and then elsewhere. */
import { SingleBar } from 'cli-progress'
import type { TransferProgress } from '../../src/index.ts'

/** How a program shows its progress. */
export interface ProgressView<Progress> {
  /** The part that is done: a number of a total. */
  readonly share: (progress: Progress) => readonly [done: number, total: number]
  readonly text: (progress: Progress) => string
}

export interface ProgressDisplay<Progress> {
  show(progress: Progress): void
  end(): void
}

/** Time between two lines. */
const linesEveryMs = 5000

/** Where it is shown; `process.stderr` is one. */
export interface Output {
  readonly isTTY?: boolean
  write(text: string): unknown
}

/** Shows nothing. */
export const nowhere: Output = { write() {} }

/** @param now the time in milliseconds */
export function progressDisplay<Progress>(
  output: Output,
  view: ProgressView<Progress>,
  now: () => number = () => performance.now()
): ProgressDisplay<Progress> {
  return output.isTTY ? bar(output as NodeJS.WriteStream, view) : lines(output, view, now)
}

function bar<Progress>(stream: NodeJS.WriteStream, { share, text }: ProgressView<Progress>): ProgressDisplay<Progress> {
  const single = new SingleBar({ stream, format: '{bar} {text}', barsize: 20, hideCursor: true })
  let isStarted = false
  return {
    show(progress) {
      const [done, total] = share(progress)
      const payload = { text: text(progress) }
      if (!isStarted) single.start(total, done, payload)
      else {
        single.setTotal(total)
        single.update(done, payload)
      }
      isStarted = true
    },
    end() {
      if (isStarted) single.stop()
      isStarted = false
    }
  }
}

function lines<Progress>(
  output: Output,
  { text }: ProgressView<Progress>,
  now: () => number
): ProgressDisplay<Progress> {
  let last = now()
  return {
    show(progress) {
      if (now() - last < linesEveryMs) return
      last = now()
      output.write(`${text(progress)}\n`)
    },
    end() {}
  }
}

/** Bytes for a reader. */
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

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
