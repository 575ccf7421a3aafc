/** An object of the memory store, read in parts. */
import type { ObjectKind } from '../../src/git/oid.ts'
import { BlockList } from './block-list.ts'
import type { ObjectContent } from './large-content.ts'
import type { TableObject } from './object-table.ts'

const chunkBytes = 256 * 1024

export class MemoryContent implements ObjectContent {
  readonly kind: ObjectKind
  readonly #content: TableObject['content']

  constructor({ kind, content }: TableObject) {
    this.kind = kind
    this.#content = content
  }

  get size(): number {
    return this.#content.length
  }

  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    const content = this.#content
    if (content instanceof BlockList) {
      yield* content.slices(start, end)
      return
    }
    for (let at = start; at < end; at += chunkBytes) yield content.subarray(at, Math.min(end, at + chunkBytes))
  }

  async close(): Promise<void> {}
}
