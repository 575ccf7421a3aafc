/** Shows how far a run is: a bar on a terminal, a line now and then elsewhere. */
import type { OutputStream } from '../io.ts'

/** How a command shows its progress. */
export interface ProgressView<Progress> {
  /** The part that is done: a number of a total. */
  readonly share: (progress: Progress) => readonly [done: number, total: number]
  readonly text: (progress: Progress) => string
}

export interface ProgressDisplay<Progress> {
  readonly show: (progress: Progress) => void
  readonly end: () => void
}

/** Where and when it is shown. */
export interface DisplayOptions {
  readonly quiet?: boolean | undefined
  /** Standard error is for errors alone, as lines of JSON. */
  readonly json?: boolean | undefined
  /** The time in milliseconds. */
  readonly now?: () => number
}

/** Bytes for a reader. */
export const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`

/** Time between two lines. */
const linesEveryMs = 5000

export async function progressDisplay<Progress>(
  stream: OutputStream,
  view: ProgressView<Progress>,
  { quiet = false, json = false, now = () => performance.now() }: DisplayOptions = {}
): Promise<ProgressDisplay<Progress>> {
  if (quiet || json) return { show() {}, end() {} }
  return stream.isTTY ? await bar(stream, view) : lines(stream, view, now)
}

async function bar<Progress>(
  stream: OutputStream,
  { share, text }: ProgressView<Progress>
): Promise<ProgressDisplay<Progress>> {
  const { default: progress } = await import('cli-progress')
  const single = new progress.SingleBar({ stream, format: '{bar} {text}', barsize: 20, hideCursor: true })
  let isStarted = false
  return {
    show(step) {
      const [done, total] = share(step)
      const payload = { text: text(step) }
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
  stream: OutputStream,
  { text }: ProgressView<Progress>,
  now: () => number
): ProgressDisplay<Progress> {
  let last = now()
  return {
    show(step) {
      if (now() - last < linesEveryMs) return
      last = now()
      stream.write(`${text(step)}\n`)
    },
    end() {}
  }
}
