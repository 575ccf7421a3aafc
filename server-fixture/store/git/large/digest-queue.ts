/** Has the checksums of packs made while the packs grow: beside the event loop, on a thread of its own. */
import { setImmediate as turn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { besideModule } from '../../../package-files.ts'
import { groupBytes, groupsOf } from './blob-layout.ts'
import { type GrowingPack, type PackChecksums, PackDigester } from './pack-digester.ts'

/** A message to the thread. Each tells all, so that a thread that is started again goes on. */
export interface DigestRequest {
  readonly pack: GrowingPack
  /** Whole groups that are written for good. */
  readonly groups: number
  /** Of the content, when it is complete. */
  readonly size?: number
  /** The pack is of no interest any more. */
  readonly isDropped?: boolean
}

/** A message from the thread, about a complete pack or one that cannot be read. */
export interface DigestReply {
  readonly path: string
  readonly checksums?: PackChecksums
  readonly error?: string
}

/** Smaller contents are digested between two calls: the thread takes as long to start. */
const threadedFromBytes = 8 * 1024 * 1024

/** The thread is started for the first large content, and holds no process. */
export class DigestQueue {
  #thread: Worker | undefined
  readonly #waiting = new Map<string, PromiseWithResolvers<PackChecksums>>()

  /** So many whole groups are written and will not change. */
  advance(pack: GrowingPack, groups: number): void {
    if (groups * groupBytes >= threadedFromBytes) this.#post({ pack, groups })
  }

  /** The checksums of a complete pack, but for the ends that they make. @throws Error where it cannot be read */
  async finish(pack: GrowingPack, size: number): Promise<PackChecksums> {
    if (size < threadedFromBytes) return await digestHere(pack, size)
    const waiting = Promise.withResolvers<PackChecksums>()
    this.#waiting.set(pack.path, waiting)
    this.#post({ pack, groups: groupsOf(size), size })
    return await waiting.promise
  }

  /** Forgets the pack, whose file may go. */
  drop(pack: GrowingPack): void {
    this.#thread?.postMessage({ pack, groups: 0, isDropped: true } satisfies DigestRequest)
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
    this.#fail(new Error('the store was closed'))
  }

  #post(request: DigestRequest): void {
    this.#thread ??= this.#start()
    this.#thread.postMessage(request)
  }

  #start(): Worker {
    const thread = new Worker(besideModule('digest-thread', import.meta.url))
    thread.unref()
    thread.on('message', (reply: DigestReply) => this.#take(reply))
    const fail = (error: unknown) => {
      if (this.#thread === thread) this.#fail(error)
    }
    thread.on('error', fail)
    thread.on('exit', (status) => fail(new Error(`the thread of checksums ended with status ${status}`)))
    return thread
  }

  #take({ path, checksums, error }: DigestReply): void {
    if (checksums) this.#waiting.get(path)?.resolve(checksums)
    else this.#waiting.get(path)?.reject(Object.assign(new Error(`reading a pack: ${error}`), { code: error }))
    this.#waiting.delete(path)
  }

  #fail(error: unknown): void {
    this.#thread = undefined
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}

async function digestHere(pack: GrowingPack, size: number): Promise<PackChecksums> {
  const digester = new PackDigester(pack)
  try {
    while (digester.step(groupsOf(size) - 1)) await turn()
    return digester.finish(size)
  } finally {
    digester.close()
  }
}
