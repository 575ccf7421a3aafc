/** Lines on their way to a file or a pipe, which may be slower than the server: what does not fit is dropped and counted. */
import { close, open, write } from 'node:fs'

/** Lines that wait; with more, new ones are dropped. */
const maxWaitingBytes = 4 * 2 ** 20
/** One write. The thread pool works on one at a time, so that a full pipe blocks one of its threads at most. */
const maxWriteBytes = 256 * 1024
/** A full pipe, or a disk that takes nothing, is tried again after this time. */
const retryMs = 50

/** The calls of the file system; tests have slow and broken ones. */
export interface FileCalls {
  open(path: string): Promise<number>
  /** Returns the bytes that were written, which may be fewer. */
  write(file: number, bytes: Uint8Array): Promise<number>
  close(file: number): Promise<void>
}

/** Of `node:fs`. Each write is appended, so that others may truncate the file meanwhile. */
const fileCalls: FileCalls = {
  open: (path) =>
    new Promise((resolve, reject) => open(path, 'a', (error, file) => (error ? reject(error) : resolve(file)))),
  write: (file, bytes) =>
    new Promise((resolve, reject) => write(file, bytes, (error, count) => (error ? reject(error) : resolve(count)))),
  close: (file) => new Promise((resolve, reject) => close(file, (error) => (error ? reject(error) : resolve())))
}

/** How a writer is made. */
export interface LineWriterOptions {
  /** Called for the first of errors that follow each other. */
  readonly onProblem: (error: unknown) => void
  readonly calls?: FileCalls
}

export class LineWriter {
  readonly #path: string | undefined
  readonly #calls: FileCalls
  readonly #onProblem: (error: unknown) => void
  #file: number
  #lines: string[] = []
  #waitingBytes = 0
  #writing: Promise<void> | undefined
  #isFailing = false
  #isClosed = false
  written = 0
  dropped = 0
  /** Dropped lines that the file does not tell of yet. */
  #untold = 0

  private constructor(path: string | undefined, file: number, { onProblem, calls = fileCalls }: LineWriterOptions) {
    this.#path = path
    this.#file = file
    this.#calls = calls
    this.#onProblem = onProblem
  }

  /** @param target a path, or the number of an open file @throws the error of opening it */
  static async open(target: string | number, options: LineWriterOptions): Promise<LineWriter> {
    if (typeof target === 'number') return new LineWriter(undefined, target, options)
    return new LineWriter(target, await (options.calls ?? fileCalls).open(target), options)
  }

  /** Writes a line, later; drops it where too many wait. */
  write(line: string): void {
    if (this.#isClosed || this.#waitingBytes + line.length > maxWaitingBytes) {
      this.dropped++
      this.#untold++
      return
    }
    this.#lines.push(line)
    this.#waitingBytes += line.length
    this.#start()
  }

  /** Goes on in a file of the same path, which may be a new one: the old one was renamed. A pipe stays. */
  async reopen(): Promise<void> {
    if (this.#path === undefined || this.#isClosed) return
    const opened = await this.#calls.open(this.#path)
    await this.#writing
    const old = this.#file
    this.#file = opened
    await this.#calls.close(old)
  }

  /** Writes the lines that wait, as far as the time allows. */
  async close(timeoutMs = 1000): Promise<void> {
    if (this.#isClosed) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs)
    })
    await Promise.race([this.#drained(), late])
    clearTimeout(timer)
    this.#isClosed = true
    // A write that hangs has its file still.
    if (this.#path !== undefined && this.#writing === undefined) await this.#calls.close(this.#file)
  }

  async #drained(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  #start(): void {
    if (this.#writing || this.#lines.length === 0) return
    // Lines of one turn of the event loop share a write.
    this.#writing = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#writeLines())
      .then(() => {
        this.#writing = undefined
        if (!this.#isClosed) this.#start()
      })
  }

  async #writeLines(): Promise<void> {
    const lines = this.#take()
    let bytes: Uint8Array = Buffer.from(lines.join(''))
    while (bytes.length > 0 && !this.#isClosed) {
      try {
        bytes = bytes.subarray(await this.#calls.write(this.#file, bytes))
        this.#isFailing = false
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' && !this.#isFailing) {
          this.#isFailing = true
          this.#onProblem(error)
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs).unref())
      }
    }
    this.written += lines.length
  }

  #take(): string[] {
    if (this.#untold > 0) {
      const line = `${JSON.stringify({ time: new Date().toISOString(), event: 'lines_dropped', count: this.#untold })}\n`
      this.#untold = 0
      this.#lines.push(line)
      this.#waitingBytes += line.length
    }
    let bytes = 0
    const end = this.#lines.findIndex((line) => {
      bytes += line.length
      return bytes > maxWriteBytes && bytes > line.length
    })
    const taken = this.#lines.splice(0, end < 0 ? this.#lines.length : end)
    for (const line of taken) this.#waitingBytes -= line.length
    return taken
  }
}
