/** Reads objects through one `git cat-file --batch`. Source: git-cat-file(1), "BATCH OUTPUT". */
import { GitError, GitProcess } from './git.ts'

/** An object as Git stores it; the content is without Git's header. */
export interface SourceObject {
  readonly oid: string
  readonly kind: 'blob' | 'tree' | 'commit' | 'tag'
  readonly content: Buffer
}

/** Objects that git is asked for ahead. The questions fit a pipe, so that git and this process never wait for each other. */
const askedAhead = 400

export class ObjectReader {
  readonly #git: GitProcess
  readonly #chunks: AsyncIterator<Buffer>
  #held: Buffer[] = []
  #heldBytes = 0

  constructor(directory: string) {
    this.#git = new GitProcess(directory, ['cat-file', '--batch'])
    this.#chunks = this.#git.output[Symbol.asyncIterator]()
  }

  /**
   * The objects, in this order. Git is ahead of the caller by a pipe's length at most. One reading has to end before the
   * next one begins.
   * @throws GitError for an object that is not there
   */
  async *read(oids: Iterable<string>): AsyncGenerator<SourceObject, void> {
    const questions = oids[Symbol.iterator]()
    const asked: string[] = []
    let next = 0
    for (;;) {
      if (asked.length - next <= askedAhead / 2) {
        asked.splice(0, next)
        next = 0
        await this.#ask(questions, asked)
        if (asked.length === 0) return
      }
      yield await this.#answer(asked[next++] as string)
    }
  }

  async #ask(questions: Iterator<string>, asked: string[]): Promise<void> {
    const lines: string[] = []
    while (asked.length < askedAhead) {
      const { done, value } = questions.next()
      if (done) break
      asked.push(value)
      lines.push(`${value}\n`)
    }
    if (lines.length > 0) await this.#git.write(lines.join(''))
  }

  async #answer(oid: string): Promise<SourceObject> {
    const line = await this.#line()
    const [found, kind, size] = line.split(' ')
    if (found !== oid || size === undefined) throw new GitError(`git cat-file: ${line}`)
    const content = await this.#take(Number(size) + 1)
    return { oid, kind: kind as SourceObject['kind'], content: content.subarray(0, -1) }
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#joined().indexOf('\n')
      if (end >= 0) return (await this.#take(end + 1)).toString('latin1', 0, end)
      await this.#more()
    }
  }

  /** Exactly so many bytes. */
  async #take(length: number): Promise<Buffer> {
    while (this.#heldBytes < length) await this.#more()
    const held = this.#joined()
    this.#held = [held.subarray(length)]
    this.#heldBytes -= length
    return held.subarray(0, length)
  }

  #joined(): Buffer {
    if (this.#held.length !== 1) this.#held = [Buffer.concat(this.#held)]
    return this.#held[0] as Buffer
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (!done) {
      this.#held.push(value)
      this.#heldBytes += value.length
      return
    }
    await this.#git.finish()
    throw new GitError('git cat-file has ended too early')
  }

  /** Ends git; nothing may be read any more. */
  async close(): Promise<void> {
    this.#git.end()
    await this.#chunks.return?.()
    await this.#git.finish([0, 1, 128]).catch(() => {})
  }
}
