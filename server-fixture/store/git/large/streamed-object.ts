/** Reads an object of any form in parts, through `git cat-file`: what lies before a part is read, and thrown away. */
import type { ObjectContent } from '../../large-content.ts'
import type { ObjectInfo } from '../../store.ts'
import { damagedObject, gitFailure, saysDamaged } from '../git-failure.ts'
import { GitProcess, type RepositoryContext } from '../git-process.ts'

/** A git process that writes the object, as far as it is read. */
export class StreamedObject implements ObjectContent {
  readonly kind: ObjectInfo['kind']
  readonly size: number
  readonly #context: RepositoryContext
  readonly #oid: string
  /** Started ahead: it has the object's pack open, which others may delete. */
  #spare: GitOutput | undefined
  readonly #outputs = new Set<GitOutput>()

  constructor(context: RepositoryContext, oid: string, info: ObjectInfo) {
    this.kind = info.kind
    this.size = info.size
    this.#context = context
    this.#oid = oid
    this.#spare = this.#start()
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    const output = this.#spare ?? this.#start()
    this.#spare = undefined
    try {
      for (let at = 0; at < end; ) {
        const chunk = await output.next()
        if (chunk === undefined) throw damagedObject(this.#oid)
        const wanted = chunk.subarray(Math.max(0, start - at), Math.max(0, end - at))
        at += chunk.length
        if (wanted.length > 0) yield wanted
      }
    } finally {
      await this.#end(output)
    }
  }

  async close(): Promise<void> {
    this.#spare = undefined
    await Promise.all(Array.from(this.#outputs, (output) => this.#end(output)))
  }

  #start(): GitOutput {
    const output = new GitOutput(this.#context, ['cat-file', this.kind, this.#oid], this.#oid)
    this.#outputs.add(output)
    return output
  }

  async #end(output: GitOutput): Promise<void> {
    this.#outputs.delete(output)
    await output.end()
  }
}

/** What a git process writes, a chunk at a time; it waits for its reader. */
class GitOutput {
  readonly #git: GitProcess
  readonly #chunks: Buffer[] = []
  #wake: (() => void) | undefined
  #ended = false
  #isAbandoned = false
  #failure: unknown

  constructor(context: RepositoryContext, command: readonly string[], oid: string) {
    this.#git = new GitProcess(context, command, (chunk) => {
      // The process ends when all that it wrote has been read.
      if (this.#isAbandoned) return
      this.#chunks.push(chunk)
      this.#git.pause()
      this.#wake?.()
    })
    this.#git.end()
    void this.#git.exited.then((exit) => {
      this.#ended = true
      if (exit.status !== 0) {
        const failure = gitFailure('git cat-file', exit, context.gitDir)
        this.#failure = saysDamaged(exit) ? damagedObject(oid, failure) : failure
      }
      this.#wake?.()
    })
  }

  /** Undefined at the end. @throws `data_loss` for an object that is damaged on disk; see `gitFailure` */
  async next(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0 && !this.#ended) {
      this.#git.resume()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const chunk = this.#chunks.shift()
    if (chunk === undefined && this.#failure !== undefined) throw this.#failure
    return chunk
  }

  async end(): Promise<void> {
    this.#isAbandoned = true
    this.#git.kill()
    this.#git.resume()
    await this.#git.exited
  }
}
