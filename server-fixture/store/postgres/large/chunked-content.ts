/** Large content in rows of parts, read from any offset. */
import { BlobwireError } from '../../../../src/core/error.ts'
import type { ObjectKind } from '../../../../src/git/oid.ts'
import type { ObjectContent } from '../../large-content.ts'
import { repositoryNotFound } from '../../name-page.ts'
import { type KnownRepository, RepositoryGone } from '../repositories.ts'
import { decodePart, partBytes } from './parts.ts'
import type { UploadRows } from './upload-rows.ts'

/** Parts that are read ahead of one reader, and of all readers of a server together: some take long to take what they get. */
const partsAhead = 1
const allPartsAhead = 32

/** How many parts may be read ahead of their readers. */
export class AheadBudget {
  #free = allPartsAhead

  take(): boolean {
    if (this.#free === 0) return false
    this.#free--
    return true
  }

  giveBack(parts: number): void {
    this.#free += parts
  }
}

/** The parts of a content. */
export interface Parts {
  readonly rows: UploadRows
  readonly repository: KnownRepository
  readonly contentId: string
  /** Bytes of the content. */
  readonly size: number
  /** Undefined = parts are always read ahead. */
  readonly ahead?: AheadBudget
}

/** The bytes from `start` up to `end`: no part is read that has none of them. */
export async function* readParts(parts: Parts, start: number, end: number): AsyncGenerator<Uint8Array> {
  const { ahead } = parts
  const last = Math.ceil(end / partBytes)
  const reading: Promise<Uint8Array>[] = []
  let next = Math.floor(start / partBytes)
  const read = () => {
    const part = readPart(parts, next++)
    // Thrown when its turn comes, if it comes.
    part.catch(() => undefined)
    reading.push(part)
  }
  let taken = 0
  try {
    for (let at = start; at < end; ) {
      if (reading.length === 0) read()
      while (next < last && reading.length <= partsAhead && (ahead?.take() ?? true)) {
        taken++
        read()
      }
      const bytes = await (reading.shift() as Promise<Uint8Array>)
      const from = at % partBytes
      const chunk = bytes.subarray(from, from + end - at)
      at += chunk.length
      yield chunk
      // The next one is not ahead any more.
      if (taken > 0) ahead?.giveBack(1)
      taken = Math.max(0, taken - 1)
    }
  } finally {
    ahead?.giveBack(taken)
  }
}

/** One part, which is as long as it has to be. */
async function readPart({ rows, repository, contentId, size }: Parts, part: number): Promise<Uint8Array> {
  const row = await rows.readPart(repository.id, contentId, part).catch((error) => {
    throw error instanceof RepositoryGone ? repositoryNotFound(repository.name) : error
  })
  const bytes = row && (await decodePart(row))
  const expected = Math.min(partBytes, size - part * partBytes)
  if (bytes?.length === expected) return bytes
  const message = `part ${part} of a large object has ${bytes?.length ?? 'no'} bytes in the store, not ${expected}`
  throw new BlobwireError({ reason: 'integrity', message })
}

export class ChunkedContent implements ObjectContent {
  readonly kind: ObjectKind
  readonly #parts: Parts

  constructor(kind: ObjectKind, parts: Parts) {
    this.kind = kind
    this.#parts = parts
  }

  get size(): number {
    return this.#parts.size
  }

  read(start: number, end: number): AsyncIterable<Uint8Array> {
    return readParts(this.#parts, start, end)
  }

  async close(): Promise<void> {}
}
