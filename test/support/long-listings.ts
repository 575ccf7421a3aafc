/** Trees and histories that make listings long, and a store that counts what they read. */
import { MemoryStore } from '../../server-fixture/store/memory-store.ts'
import type { NewObject, Store } from '../../server-fixture/store/store.ts'
import { hashObject } from '../../src/git/oid.ts'
import { encodeTree } from '../../src/git/tree.ts'
import { randomNumbers } from './random.ts'
import { type Call, repository, serverOn } from './services.ts'

/** Counts the objects that are read, by oid. */
export class CountingStore extends MemoryStore {
  readonly reads = new Map<string, number>()
  /** All that came in. */
  readonly objects: NewObject[] = []
  onRead: (total: number) => void = () => undefined
  total = 0

  override async readObjects(name: string, oids: readonly string[], maxBytes: number) {
    for (const oid of oids) this.reads.set(oid, (this.reads.get(oid) ?? 0) + 1)
    this.total += oids.length
    this.onRead(this.total)
    return super.readObjects(name, oids, maxBytes)
  }

  override putObjects(name: string, objects: readonly NewObject[]) {
    this.objects.push(...objects)
    return super.putObjects(name, objects)
  }
}

/** Makes objects in memory, and stores them all at once: each call would be a process of the Git store. */
export async function storeAtOnce<Made>(stores: readonly Store[], make: (call: Call) => Promise<Made>): Promise<Made> {
  const memory = await countingStore()
  const made = await make(serverOn(memory))
  for (const store of stores) await store.putObjects(repository, memory.objects)
  return made
}

/** One with the repository. */
export async function countingStore() {
  const store = new CountingStore()
  await store.createRepository(repository, 'sha1')
  return store
}

/** Stores a tree whose entries need not be there. */
export async function storeTree(store: MemoryStore, items: readonly { name: string; mode: string; oid: string }[]) {
  const content = encodeTree(
    items.map((item) => ({ ...item, name: Buffer.from(item.name) })),
    'sha1'
  )
  const oid = hashObject('tree', content, 'sha1')
  await store.putObjects(repository, [{ oid, kind: 'tree', content }])
  return oid
}

/** A name that sorts as its number does. */
export const nameOf = (index: number) => String(index).padStart(6, '0')

/** Eleven trees, ten entries each: 10^10 paths, or as many directories that hold none. */
export async function treeBomb(store: MemoryStore, leaf: 'file' | 'empty'): Promise<string> {
  const file = hashObject('blob', Buffer.from('x'), 'sha1')
  await store.putObjects(repository, [{ oid: file, kind: 'blob', content: Buffer.from('x') }])
  let oid = leaf === 'file' ? file : await storeTree(store, [])
  let mode = leaf === 'file' ? '100644' : '040000'
  for (let depth = 0; depth < 10; depth++) {
    const level = { mode, oid }
    oid = await storeTree(
      store,
      Array.from({ length: 10 }, (_, index) => ({ name: `n${index}`, ...level }))
    )
    mode = '040000'
  }
  return oid
}

/** Commits one after the other; with `mergeOneIn`, some have two parents. */
export async function history(call: Call, length: number, mergeOneIn = Number.POSITIVE_INFINITY): Promise<string[]> {
  const random = randomNumbers(7)
  const { oid: tree } = await call('StoreTree', { entries: [] })
  const oids: string[] = []
  for (let index = 0; index < length; index++) {
    const isMerge = index > 3 && index % mergeOneIn === 0
    const parents = [oids.at(-1), isMerge ? oids.at(-2 - random(2)) : undefined].filter((oid) => oid !== undefined)
    const author = { name: 'A', email: 'a@b', timeSeconds: 1_700_000_000 + index, zone: '+0000' }
    oids.push((await call('StoreCommit', { tree, parents, author, committer: author, message: nameOf(index) })).oid)
  }
  return oids
}
