/** Progress of transfers, told at a steady pace. */
import type { Clock } from '../core/clock.ts'
import { BlobwireError } from '../core/error.ts'

/**
 * The work of the moment: `hash` = contents are read to see whether the server has them; `upload` and `download` = bytes
 * move; `commit` = contents are there, and the commit is made; `list` = the client learns which files there are; `write`
 * = files are written.
 */
export type ProgressPhase = 'list' | 'hash' | 'upload' | 'download' | 'write' | 'commit'

/** How far a transfer is. */
export interface TransferProgress {
  phase: ProgressPhase
  /** Files that are done, those that needed no transfer included. */
  files: number
  /** Files of the whole transfer, as far as it knows them. */
  totalFiles: number
  /** Bytes of content that are done, those that needed no transfer included. */
  transferredBytes: number
  /** Bytes of the whole transfer; undefined = not known. */
  totalBytes: number | undefined
  /** Bytes of content that moved in the last seconds, per second. */
  bytesPerSecond: number
}

/** Called at most ten times a second, and at the end; an exception fails the call. */
export type ProgressListener = (progress: TransferProgress) => void

const intervalMs = 100
/** The rate is that of so many milliseconds. */
const rateMs = 5000

interface Sample {
  readonly atMs: number
  readonly moved: number
}

/** Counts, and tells the listener. Without a listener it only counts. */
export class ProgressMeter {
  readonly #clock: Clock
  readonly #listener: ProgressListener | undefined
  readonly #samples: Sample[] = []
  #toldAtMs = Number.NEGATIVE_INFINITY
  #moved = 0
  #done = 0
  #files = 0
  #phase: ProgressPhase
  totalFiles = 0
  /** Undefined = not known. */
  totalBytes: number | undefined

  constructor(clock: Clock, listener: ProgressListener | undefined, phase: ProgressPhase) {
    this.#clock = clock
    this.#listener = listener
    this.#phase = phase
    if (listener !== undefined) this.#samples.push({ atMs: clock.now(), moved: 0 })
  }

  /** Begins the next phase, and tells it. @throws BlobwireError where the listener throws */
  enter(phase: ProgressPhase): void {
    if (this.#phase === phase) return
    this.#phase = phase
    this.#tell()
  }

  /** There are further files, of these sizes; a size that is not known makes the total unknown. */
  expect(sizes: readonly (number | undefined)[]): void {
    if (this.totalFiles === 0) this.totalBytes = 0
    this.totalFiles += sizes.length
    for (const size of sizes) {
      this.totalBytes = size === undefined || this.totalBytes === undefined ? undefined : this.totalBytes + size
    }
  }

  /** One of the files. */
  file(): FileProgress {
    return new FileProgress(this)
  }

  /** Bytes are done: they moved, or need not. @throws BlobwireError where the listener throws */
  add(bytes: number, moved: boolean): void {
    this.#done += bytes
    if (moved) this.#moved += bytes
    if (this.#listener !== undefined && this.#clock.now() - this.#toldAtMs >= intervalMs) this.#tell()
  }

  fileDone(): void {
    this.#files++
    this.add(0, false)
  }

  /** The last word. @throws BlobwireError where the listener throws */
  end(): void {
    this.#tell()
  }

  #tell(): void {
    if (this.#listener === undefined) return
    this.#toldAtMs = this.#clock.now()
    const progress = {
      phase: this.#phase,
      files: this.#files,
      totalFiles: this.totalFiles,
      transferredBytes: this.#done,
      totalBytes: this.totalBytes,
      bytesPerSecond: this.#rate()
    }
    try {
      this.#listener(progress)
    } catch (cause) {
      throw callbackFailed('onProgress', cause)
    }
  }

  #rate(): number {
    const now = { atMs: this.#toldAtMs, moved: this.#moved }
    this.#samples.push(now)
    while (this.#samples.length > 2 && now.atMs - (this.#samples[1] as Sample).atMs >= rateMs) this.#samples.shift()
    const [first = now] = this.#samples
    const seconds = (now.atMs - first.atMs) / 1000
    return seconds === 0 ? 0 : Math.round((now.moved - first.moved) / seconds)
  }
}

/** How far one file is; bytes that are sent again are counted once. */
export class FileProgress {
  readonly #meter: ProgressMeter
  #position = 0

  constructor(meter: ProgressMeter) {
    this.#meter = meter
  }

  /** Bytes moved up to this position of the content. */
  reached(position: number, moved: boolean = true): void {
    if (position <= this.#position) return
    const bytes = position - this.#position
    this.#position = position
    this.#meter.add(bytes, moved)
  }

  /** The phase of the transfer, where the file is all of it: the files of a larger one are in different phases. */
  enter(phase: ProgressPhase): void {
    if (this.#meter.totalFiles === 1) this.#meter.enter(phase)
  }

  /** The file is done, whether or not its bytes had to move. */
  done(size: number): void {
    this.reached(size, false)
    this.#meter.fileDone()
  }
}

/** The exception of a function that the application gave. */
export function callbackFailed(name: string, cause: unknown): BlobwireError {
  const why = cause instanceof Error && cause.message !== '' ? `: ${cause.message}` : ''
  return new BlobwireError({ code: 'aborted', message: `${name}() failed${why}`, cause })
}
