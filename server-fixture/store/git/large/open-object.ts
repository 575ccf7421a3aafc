/** Opens an object of a repository for reading in parts. */
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import type { ObjectContent } from '../../large-content.ts'
import type { RepositoryContext } from '../git-process.ts'
import type { ObjectReader } from '../object-reader.ts'
import type { PackDirectory } from '../pack-directory.ts'
import { openPackedBlob } from './packed-blob.ts'
import { StreamedObject } from './streamed-object.ts'

/** Smaller objects are read at once, through the process that is there already. */
const wholeBytes = 256 * 1024

/** Of the repository. */
export interface OpenObjectContext {
  readonly context: RepositoryContext
  readonly format: ObjectFormat
  readonly reader: ObjectReader
  readonly packs: PackDirectory
}

/** Undefined = missing. */
export async function openObject(repository: OpenObjectContext, oid: string): Promise<ObjectContent | undefined> {
  const { context, format, reader, packs } = repository
  const [found] = await reader.infos([oid])
  if (found === undefined) return undefined
  if (found.size <= wholeBytes) {
    const [object] = await reader.objects([oid], wholeBytes)
    return object?.content && new WholeObject(object.kind, object.content)
  }
  const packed = found.kind === 'blob' ? await openPackedBlob(packs.path, oid, format) : undefined
  return packed ?? new StreamedObject(context, oid, found)
}

class WholeObject implements ObjectContent {
  readonly kind: ObjectContent['kind']
  readonly size: number
  readonly #content: Uint8Array

  constructor(kind: ObjectContent['kind'], content: Uint8Array) {
    this.kind = kind
    this.size = content.length
    this.#content = content
  }

  async *read(start: number, end: number): AsyncIterable<Uint8Array> {
    if (start < end) yield this.#content.subarray(start, end)
  }

  async close(): Promise<void> {}
}
