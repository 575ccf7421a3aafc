/** Moves objects from a repository of Git into a store, each after those that it names. */
import { BlobwireError } from '../../src/core/error.ts'
import { hashObject, type ObjectKind } from '../../src/git/oid.ts'
import { CatFile } from '../store/git/cat-file.ts'
import { StreamedObject } from '../store/git/large/streamed-object.ts'
import type { NewObject, Store } from '../store/store.ts'
import { namedObjects } from './named-objects.ts'
import type { OidList } from './oid-list.ts'
import type { GitSource, ObjectLists } from './source-repository.ts'
import { treesByHeight } from './tree-order.ts'

/** Larger blobs pass in parts. */
const largeBytes = 1024 * 1024
/** Of one read, and one write of the store. */
const batchObjects = 2000
const batchBytes = 4 * 1024 * 1024
/** Batches under way together, where their objects do not name each other. */
const batchesInFlight = 4

/** Where objects go. */
export interface ImportTarget {
  readonly store: Store
  readonly repository: string
  /** The repository that is meant; undefined = whichever has the name. */
  readonly incarnation?: string | undefined
  /**
   * Beginning of the ids of uploads. Imports that run at the same time with the same one take uploads over from each other.
   *
   * @default 'import-'
   */
  readonly uploadPrefix?: string | undefined
}

/** The repository of Git from which objects come. */
type ObjectSource = Pick<GitSource, 'context' | 'format'>

interface Batch {
  readonly kind: ObjectKind
  readonly oids: readonly string[]
  /** Of the contents together. A large object has a batch of its own. */
  readonly bytes: number
}

/** Returns how many objects were stored. */
export async function importObjects(source: ObjectSource, target: ImportTarget, lists: ObjectLists): Promise<number> {
  const moving = new ObjectImport(source, target)
  try {
    await moving.storeTogether('blob', lists.blob, indexesOf(lists.blob))
    const trees = await treesByHeight(lists.tree, (onTree) => moving.readTrees(lists.tree, onTree))
    for (const group of trees) await moving.storeTogether('tree', lists.tree, group)
    await moving.storeInOrder('commit', lists.commit, indexesOf(lists.commit).reverse())
    await moving.storeInOrder('tag', lists.tag, await moving.orderTags(lists.tag))
    return moving.stored
  } finally {
    await moving.close()
  }
}

const indexesOf = (list: OidList) => Array.from({ length: list.length }, (_, index) => index)

class ObjectImport {
  readonly #source: ObjectSource
  readonly #target: ImportTarget
  readonly #git: CatFile
  stored = 0

  constructor(source: ObjectSource, target: ImportTarget) {
    this.#source = source
    this.#target = target
    this.#git = new CatFile(source.context)
  }

  /** Stores objects that do not name each other. */
  async storeTogether(kind: ObjectKind, list: OidList, indexes: readonly number[]): Promise<void> {
    const running = new Set<Promise<void>>()
    let failure: unknown
    for (const batch of this.#batches(kind, list, indexes)) {
      while (running.size >= batchesInFlight) await Promise.race(running)
      if (failure !== undefined) break
      const run = this.#store(batch)
        .catch((error) => {
          failure ??= error
        })
        .finally(() => running.delete(run))
      running.add(run)
    }
    await Promise.all(running)
    if (failure !== undefined) throw failure
  }

  /** Stores objects of which each may name those before it. */
  async storeInOrder(kind: ObjectKind, list: OidList, indexes: readonly number[]): Promise<void> {
    for (const batch of this.#batches(kind, list, indexes)) await this.#store(batch)
  }

  async readTrees(list: OidList, onTree: (index: number, named: readonly string[]) => void): Promise<void> {
    let index = 0
    for (const { oids } of this.#batches('tree', list, indexesOf(list))) {
      for (const tree of await this.#read(oids)) {
        const named = namedObjects('tree', tree.content, this.#source.format)
        onTree(
          index++,
          named.flatMap(({ kind, oid }) => (kind === 'tree' ? [oid] : []))
        )
      }
    }
  }

  /** A tag after the tag that it names. */
  async orderTags(list: OidList): Promise<number[]> {
    const targets = new Map<string, string>()
    for (const { oids } of this.#batches('tag', list, indexesOf(list))) {
      for (const { oid, content } of await this.#read(oids)) {
        targets.set(oid, namedObjects('tag', content, this.#source.format)[0]?.oid ?? '')
      }
    }
    const depthOf = (oid: string): number => {
      let depth = 0
      for (let at = targets.get(oid); at !== undefined; at = targets.get(at)) depth++
      return depth
    }
    const depths = indexesOf(list).map((index) => depthOf(list.oid(index)))
    return indexesOf(list).sort((left, right) => (depths[left] as number) - (depths[right] as number))
  }

  async close(): Promise<void> {
    this.#git.end()
    await this.#git.exited
  }

  *#batches(kind: ObjectKind, list: OidList, indexes: readonly number[]): Iterable<Batch> {
    let oids: string[] = []
    let bytes = 0
    for (const index of indexes) {
      const size = list.size(index)
      const isFull = oids.length >= batchObjects || bytes + size > batchBytes || size > largeBytes
      if (oids.length > 0 && isFull) {
        yield { kind, oids, bytes }
        oids = []
        bytes = 0
      }
      oids.push(list.oid(index))
      bytes += size
    }
    if (oids.length > 0) yield { kind, oids, bytes }
  }

  async #store({ kind, oids, bytes }: Batch): Promise<void> {
    const { store, repository, incarnation } = this.#target
    // A repeated import goes on where the one before ended.
    const there = await store.hasObjects(repository, oids)
    const missing = oids.filter((_, index) => there[index] === undefined)
    const [first] = missing
    if (first === undefined) return
    if (kind === 'blob' && bytes > largeBytes && oids.length === 1) await this.#storeLarge(first, bytes)
    else await store.putObjects(repository, await this.#read(missing), incarnation)
    this.stored += missing.length
  }

  /** What a store has of it, from an import that was interrupted, is not sent again. */
  async #storeLarge(oid: string, size: number): Promise<void> {
    const { store, repository, uploadPrefix = 'import-' } = this.#target
    const content = new StreamedObject(this.#source.context, oid, { kind: 'blob', size })
    const writer = await store.openUpload(repository, `${uploadPrefix}${oid}`, size)
    try {
      for await (const chunk of content.read(writer.offset, size)) await writer.write(chunk)
      await writer.finish({ oid, sha256: undefined })
    } finally {
      await writer.release()
      await content.close()
    }
  }

  /** @throws BlobwireError `data_loss`, reason `integrity` */
  async #read(oids: readonly string[]): Promise<NewObject[]> {
    const found = await this.#git.ask({ command: 'contents', oids })
    return oids.map((oid, index) => {
      const { kind, content } = found[index] ?? {}
      if (kind === undefined || content === undefined || hashObject(kind, content, this.#source.format) !== oid) {
        const message = `object ${oid} is missing or damaged in the repository that is imported`
        throw new BlobwireError({ reason: 'integrity', message })
      }
      return { oid, kind, content }
    })
  }
}
