/** Shows how far a run is: a bar in a terminal, a line now and then elsewhere. */
import { SingleBar } from 'cli-progress'
import type { Progress } from './mirror.ts'

export interface ProgressDisplay {
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

/** @param now the time in milliseconds */
export function progressDisplay(output: Output, now: () => number = () => performance.now()): ProgressDisplay {
  return output.isTTY ? bar(output as NodeJS.WriteStream) : lines(output, now)
}

function bar(stream: NodeJS.WriteStream): ProgressDisplay {
  const format = '{bar} {value}/{total} objects, {megabytes} MB, {rate} MB/s, {refs}/{totalRefs} refs'
  const single = new SingleBar({ stream, format, hideCursor: true })
  let isStarted = false
  return {
    show({ files, totalFiles, transferredBytes, bytesPerSecond, refs, totalRefs }) {
      const [megabytes, rate] = [transferredBytes, bytesPerSecond].map((bytes) => (bytes / 1e6).toFixed(1))
      const payload = { megabytes, rate, refs, totalRefs }
      if (isStarted) single.update(files, payload)
      else single.start(totalFiles, files, payload)
      isStarted = true
    },
    end() {
      if (isStarted) single.stop()
    }
  }
}

function lines(output: Output, now: () => number): ProgressDisplay {
  let last = now()
  return {
    show({ files, totalFiles, transferredBytes, refs, totalRefs }) {
      if (now() - last < linesEveryMs) return
      last = now()
      const megabytes = (transferredBytes / 1e6).toFixed(1)
      output.write(`${files}/${totalFiles} objects, ${megabytes} MB, ${refs}/${totalRefs} refs\n`)
    },
    end() {}
  }
}
