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
  const format = '{bar} {value}/{total} objects, {megabytes} MB, {refs}/{totalRefs} refs'
  const single = new SingleBar({ stream, format, hideCursor: true })
  let isStarted = false
  return {
    show({ objects, totalObjects, bytes, refs, totalRefs }) {
      const payload = { megabytes: (bytes / 1e6).toFixed(1), refs, totalRefs }
      if (isStarted) single.update(objects, payload)
      else single.start(totalObjects, objects, payload)
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
    show({ objects, totalObjects, bytes, refs, totalRefs }) {
      if (now() - last < linesEveryMs) return
      last = now()
      const megabytes = (bytes / 1e6).toFixed(1)
      output.write(`${objects}/${totalObjects} objects, ${megabytes} MB, ${refs}/${totalRefs} refs\n`)
    },
    end() {}
  }
}
