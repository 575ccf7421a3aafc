import { BlobwireError } from '../../../src/core/error.ts'
import { isOid, type ObjectFormat } from '../../../src/git/oid.ts'
import type { ObjectInfo, StoredObject } from '../store.ts'
import { CatFile, type Question } from './cat-file.ts'
import type { CatFileAnswer } from './cat-file-parser.ts'
import type { GitPlace } from './git-process.ts'

/** A reader nobody asks lets its process go after this time. */
const idleMs = 30_000

/**
 * Reads the objects of one repository through a long-lived cat-file process. When it dies, what waits is asked once
 * more of a new one: reading changes nothing. Packs written meanwhile are found: git looks at the folder again before
 * it calls an object missing.
 */
export class ObjectReader {
  readonly #place: GitPlace & { readonly gitDir: string }
  readonly #format: ObjectFormat
  readonly #leaving = new Set<CatFile>()
  readonly #packsMoved: () => number
  #current: CatFile | undefined
  #idleTimer: NodeJS.Timeout | undefined

  /** @param packsMoved a number that is another one after packs were joined, and odd meanwhile */
  constructor(place: GitPlace & { readonly gitDir: string }, format: ObjectFormat, packsMoved: () => number = () => 0) {
    this.#place = place
    this.#packsMoved = packsMoved
    this.#format = format
  }

  /** The id of the process that reads now, if one does. */
  get pid(): number | undefined {
    return this.#current?.pid
  }

  /** Kind and size of each object, in order; undefined = not there. */
  async infos(oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    const answers = await this.#ask('info', oids)
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
    this.#leaving.add(old)
    void old.exited.then(() => this.#leaving.delete(old))
    old.end()
  }

  /** Resolves when every question is answered and the processes are gone. */
  async close(): Promise<void> {
    this.recycle()
    await Promise.all(Array.from(this.#leaving, (process) => process.exited))
  }

  /** What is no oid of this format is not there, and is not passed on: git would read it as a revision. */
  async #ask(command: Question['command'], oids: readonly string[]): Promise<CatFileAnswer[]> {
    const valid = oids.filter((oid) => isOid(oid, this.#format))
    if (valid.length === 0) return oids.map(() => undefined)
    const before = this.#packsMoved()
    const answers = await this.#askTwice({ command, oids: valid })
    if (before % 2 === 1 || before !== this.#packsMoved()) await this.#lookAgain(command, valid, answers)
    if (valid.length === oids.length) return answers
    let next = 0
    return oids.map((oid) => (isOid(oid, this.#format) ? answers[next++] : undefined))
  }

  /**
   * Git lists the folder of packs once before it calls an object missing. If the old pack of the object is deleted while
   * it lists, and the new one came too late for the list, it finds neither; it does when it looks again.
   */
  async #lookAgain(command: Question['command'], oids: readonly string[], answers: CatFileAnswer[]): Promise<void> {
    const missing = oids.flatMap((_, index) => (answers[index] ? [] : [index]))
    if (missing.length === 0) return
    const second = await this.#askTwice({ command, oids: missing.map((index) => oids[index] ?? '') })
    for (const [place, index] of missing.entries()) answers[index] = second[place]
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
    if (!this.#current || this.#current.ended) this.#current = new CatFile(this.#place)
    if (!this.#idleTimer) this.#idleTimer = setTimeout(() => this.#whenIdle(), idleMs).unref()
    else this.#idleTimer.refresh()
    return this.#current
  }

  #whenIdle(): void {
    if (this.#current?.busy) this.#idleTimer?.refresh()
    else this.recycle()
  }
}
