/** Parses the output of `git cat-file --batch-command`. */
import type { ObjectKind } from '../../../src/git/oid.ts'
import type { StoredObject } from '../store.ts'

/** One answer of `git cat-file --batch-command`; undefined = no such object. */
export type CatFileAnswer = StoredObject | undefined

const newline = 0x0a

/**
 * An answer is `<oid> <type> <size>` and, for `contents`, the bytes and a newline; or `<oid> missing`. Source:
 * git-cat-file(1), "BATCH OUTPUT". Every byte is copied once, however the output is cut into chunks.
 */
export class CatFileParser {
  readonly #expectsContent: () => boolean
  readonly #onAnswer: (answer: CatFileAnswer) => void
  /** The beginning of an incomplete line. */
  #line = ''
  #kind: ObjectKind = 'blob'
  #content: Uint8Array | undefined
  /** Bytes of `#content` that have arrived. */
  #filled = 0

  /**
   * @param expectsContent whether the answer that begins now is to `contents`
   * @param onAnswer called once for each answer, in order
   */
  constructor(expectsContent: () => boolean, onAnswer: (answer: CatFileAnswer) => void) {
    this.#expectsContent = expectsContent
    this.#onAnswer = onAnswer
  }

  /** @throws Error if these bytes cannot come from git */
  push(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length)
      at = this.#content ? this.#takeContent(this.#content, chunk, at) : this.#takeLine(chunk, at)
  }

  #takeLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(newline, at)
    if (end < 0) {
      this.#line += chunk.toString('latin1', at)
      if (this.#line.length > 1024) throw new Error('git cat-file: the header line does not end')
      return chunk.length
    }
    const [, kind = '', size] = (this.#line + chunk.toString('latin1', at, end)).split(' ')
    this.#line = ''
    if (size === undefined) {
      if (kind !== 'missing') throw new Error(`git cat-file: unexpected answer ${JSON.stringify(kind)}`)
      this.#onAnswer(undefined)
      return end + 1
    }
    this.#kind = kind as ObjectKind
    if (this.#expectsContent()) {
      this.#content = new Uint8Array(Number(size))
      this.#filled = 0
    } else this.#onAnswer({ kind: this.#kind, size: Number(size), content: undefined })
    return end + 1
  }

  #takeContent(content: Uint8Array, chunk: Buffer, at: number): number {
    const length = Math.min(content.length - this.#filled, chunk.length - at)
    content.set(chunk.subarray(at, at + length), this.#filled)
    this.#filled += length
    if (this.#filled < content.length || at + length === chunk.length) return at + length
    if (chunk[at + length] !== newline) throw new Error('git cat-file: the content is longer than its header says')
    this.#content = undefined
    this.#onAnswer({ kind: this.#kind, size: content.length, content })
    return at + length + 1
  }
}
