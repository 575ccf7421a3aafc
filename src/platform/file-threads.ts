/**
 * `FileThreadFunctions` of platform.ts on Node. A small file takes four calls of the system; through the thread pool of
 * Node, each of them costs more than the call itself, and most of that on the thread of the application.
 */
import { Buffer } from 'node:buffer'
import { Worker } from 'node:worker_threads'
import { hasDescriptors } from './directory-paths.ts'
import type { BatchOfLengths, FileMessage, FileReply } from './file-thread.ts'
import type { FileBatch, FileFailure, FileThreads } from './platform.ts'

/** More would wait for the same directories and the same disk. */
const threads = 2

export async function openFileThreads(): Promise<FileThreads | undefined> {
  // Elsewhere, a directory has to be looked at each time it is used; see directories.ts.
  if (!hasDescriptors()) return undefined
  const started = await Promise.allSettled(Array.from({ length: threads }, () => FileThread.start()))
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  return running.length > 0 ? new RunningThreads(running) : undefined
}

class RunningThreads implements FileThreads {
  readonly #threads: readonly FileThread[]

  constructor(running: readonly FileThread[]) {
    this.#threads = running
  }

  write(batch: FileBatch): Promise<FileFailure | undefined> {
    const idle = this.#threads.reduce((best, thread) => (thread.batches < best.batches ? thread : best))
    return idle.write(batch)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }
}

class FileThread {
  readonly #worker: Worker
  /** In the order in which the thread answers. */
  #pending: PromiseWithResolvers<FileFailure | undefined>[] = []
  /** The thread has ended, for this reason: it answers nothing more. */
  #ended: Error | undefined

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('message', ({ failure, code }: FileReply) => {
      if (failure?.error) Object.assign(failure.error, { code })
      this.#pending.shift()?.resolve(failure)
    })
    worker.on('error', (error: Error) => this.#fail(error))
    worker.on('exit', () => this.#fail(new Error('the thread that writes files has ended')))
  }

  /** @throws Error where there is no file for it, or no permission */
  static async start(): Promise<FileThread> {
    // The file has the extension of this one, before and after the build.
    const file = `./file-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`
    const worker = new Worker(new URL(file, import.meta.url))
    await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      // A module that the process loads first, by --import, may end the thread.
      worker.once('exit', reject)
    })
    return new FileThread(worker)
  }

  get batches(): number {
    return this.#pending.length
  }

  write(batch: FileBatch): Promise<FileFailure | undefined> {
    if (this.#ended) return Promise.reject(this.#ended)
    const pending = Promise.withResolvers<FileFailure | undefined>()
    this.#pending.push(pending)
    const bytes = Buffer.allocUnsafeSlow(batch.contents.reduce((sum, content) => sum + content.bytes.length, 0))
    let at = 0
    const contents = batch.contents.map(({ bytes: own, ...rest }) => {
      bytes.set(own, at)
      at += own.length
      return { ...rest, length: own.length }
    })
    const json = JSON.stringify({ ...batch, contents } satisfies BatchOfLengths)
    this.#worker.postMessage({ bytes, json } satisfies FileMessage, [bytes.buffer])
    return pending.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#ended ??= error
    for (const { reject } of this.#pending.splice(0)) reject(error)
  }
}
