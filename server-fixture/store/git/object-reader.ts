/** Reads objects of one repository. */
import { BlobwireError } from '../../../src/core/error.ts'
import { isOid, type ObjectFormat } from '../../../src/git/oid.ts'
import type { ObjectInfo, StoredObject } from '../store.ts'
import { CatFile, type Question } from './cat-file.ts'
import type { CatFileAnswer } from './cat-file-parser.ts'
import type { RepositoryContext } from './git-process.ts'
import type { PackDirectory } from './pack-directory.ts'

/** After this time without a question, the reader ends its process. */
const idleMs = 30_000
/** Times that a missing object is looked up again, where packs are joined or deleted meanwhile. */
const maxLooks = 3

interface ObjectReaderOptions {
  readonly format: ObjectFormat
  readonly packs: PackDirectory
  /**
   * Changes when joined packs were removed, and is odd meanwhile.
   *
   * @default `packs.removals`
   */
  readonly packSequence?: () => number
}

/**
 * Reads the objects of one repository through a long-lived cat-file process. When it dies, pending questions are asked
 * once more of a new one: reading changes nothing. Packs written meanwhile are found: git lists the directory again
 * before it calls an object missing.
 */
export class ObjectReader {
  readonly #context: RepositoryContext
  readonly #format: ObjectFormat
  readonly #packs: PackDirectory
  readonly #draining = new Set<CatFile>()
  readonly #packSequence: () => number
  #current: CatFile | undefined
  #idleTimer: NodeJS.Timeout | undefined

  constructor(context: RepositoryContext, options: ObjectReaderOptions) {
    this.#context = context
    this.#format = options.format
    this.#packs = options.packs
    this.#packSequence = options.packSequence ?? (() => options.packs.removals)
  }

  /** The id of the current process, if there is one. */
  get pid(): number | undefined {
    return this.#current?.pid
  }

  /**
   * Kind and size of each object, in order; undefined = not there. New objects and refs will point to those that are: an
   * answer from packs that somebody has deleted is asked for again, of a process that does not have them open.
   */
  async infos(oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    const { losses } = this.#packs
    let answers = await this.#ask('info', oids)
    this.#packs.look()
    if (losses !== this.#packs.losses) answers = await this.#ask('info', oids)
    return answers.map((answer) => answer && { kind: answer.kind, size: answer.size })
  }

  /**
   * Each object, in order; undefined = not there. Sizes are asked first, so that contents above `maxBytes` are never
   * read.
   */
  async objects(oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]> {
    const infos = await this.#ask('info', oids)
    const wanted = oids.filter((_, index) => (infos[index]?.size ?? Number.POSITIVE_INFINITY) <= maxBytes)
    const contents = await this.#ask('contents', wanted)
    let next = 0
    return infos.map((info) => (info && info.size <= maxBytes ? contents[next++] : info))
  }

  /** Moves on to a new process, which sees packs as they are now; the old one answers what it was asked, and exits. */
  recycle(): void {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    const old = this.#current
    if (!old) return
    this.#current = undefined
    this.#draining.add(old)
    void old.exited.then(() => this.#draining.delete(old))
    old.end()
  }

  /** Resolves when every question is answered and the processes are gone. */
  async close(): Promise<void> {
    this.recycle()
    await Promise.all(Array.from(this.#draining, (process) => process.exited))
  }

  /** Texts that are no oids of this format are never passed on: git would read them as revisions. */
  async #ask(command: Question['command'], oids: readonly string[]): Promise<CatFileAnswer[]> {
    const valid = oids.filter((oid) => isOid(oid, this.#format))
    if (valid.length === 0) return oids.map(() => undefined)
    const answers = await this.#askForPresent({ command, oids: valid })
    if (valid.length === oids.length) return answers
    let next = 0
    return oids.map((oid) => (isOid(oid, this.#format) ? answers[next++] : undefined))
  }

  /**
   * Git lists the directory of packs once before it calls an object missing. If the old pack of the object is deleted
   * while it lists, and the new one came too late for the list, it finds neither; a process that is started then does.
   */
  async #askForPresent({ command, oids }: Question): Promise<CatFileAnswer[]> {
    let before = this.#packSequence()
    const answers = await this.#askTwice({ command, oids })
    for (let tries = 0; tries < maxLooks && (before % 2 === 1 || before !== this.#packSequence()); tries++) {
      const missing = oids.flatMap((_, index) => (answers[index] ? [] : [index]))
      if (missing.length === 0) break
      before = this.#packSequence()
      this.recycle()
      const again = await this.#askTwice({ command, oids: missing.map((index) => oids[index] ?? '') })
      for (const [position, index] of missing.entries()) answers[index] = again[position]
    }
    return answers
  }

  async #askTwice(question: Question): Promise<CatFileAnswer[]> {
    try {
      return await this.#process().ask(question)
    } catch (error) {
      if (!(error instanceof BlobwireError) || error.reason !== 'git_died') throw error
      return await this.#process().ask(question)
    }
  }

  #process(): CatFile {
    if (!this.#current || this.#current.ended) this.#current = new CatFile(this.#context)
    if (!this.#idleTimer) this.#idleTimer = setTimeout(() => this.#onIdle(), idleMs).unref()
    else this.#idleTimer.refresh()
    return this.#current
  }

  #onIdle(): void {
    if (this.#current?.busy) this.#idleTimer?.refresh()
    else this.recycle()
  }
}
