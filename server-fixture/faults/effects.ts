/** The effect log: a decorator of the store that reports each change. */
import type { UploadWriter } from '../store/large-content.ts'
import type { Creation, NewObject, RepositoryInfo, Store } from '../store/store.ts'

/** A change of the store: a new object, a moved ref, a repository created, changed or deleted. */
export interface Effect {
  readonly kind: 'object' | 'ref' | 'repository_created' | 'repository_updated' | 'repository_deleted'
  readonly repository: string
  /** The oid of an object, the name of a ref or of a new default branch; else empty. */
  readonly name: string
  /** The new oid of a ref. */
  readonly oid?: string
}

/**
 * The same store, which reports each write that had an effect. A repeated write has none the second time, so a test can
 * compare the effects with its calls.
 */
export function withEffects(store: Store, onEffect: (effect: Effect) => void): Store {
  // Writes run one after the other; two concurrent ones would both find the same object missing.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  const putObjects = async (repository: string, objects: readonly NewObject[]): Promise<void> => {
    const oids = objects.map(({ oid }) => oid)
    const before = await store.hasObjects(repository, oids)
    await store.putObjects(repository, objects)
    const seen = new Set<string>()
    oids.forEach((oid, index) => {
      if (before[index] === undefined && !seen.has(oid)) onEffect({ kind: 'object', repository, name: oid })
      seen.add(oid)
    })
  }
  const observed: Pick<
    Store,
    'createRepository' | 'updateRepository' | 'deleteRepository' | 'putObjects' | 'updateRefs'
  > = {
    async createRepository(repository, objectFormat, options): Promise<Creation> {
      const creation = await store.createRepository(repository, objectFormat, options)
      if (creation.created) onEffect({ kind: 'repository_created', repository, name: '' })
      return creation
    },
    async updateRepository(repository, defaultBranch, request): Promise<RepositoryInfo> {
      const before = await store.readHead(repository)
      const info = await store.updateRepository(repository, defaultBranch, request)
      const changed = before.ref !== info.defaultBranch
      if (changed) onEffect({ kind: 'repository_updated', repository, name: info.defaultBranch })
      return info
    },
    async deleteRepository(repository, request): Promise<boolean> {
      const deleted = await store.deleteRepository(repository, request)
      if (deleted) onEffect({ kind: 'repository_deleted', repository, name: '' })
      return deleted
    },
    putObjects,
    async updateRefs(repository, moves, { objects = [], ...records } = {}) {
      if (objects.length > 0) await putObjects(repository, objects)
      const before = await store.readRefs(
        repository,
        moves.map(({ name }) => name)
      )
      const mismatches = await store.updateRefs(repository, moves, records)
      if (mismatches.length > 0) return mismatches
      moves.forEach(({ name, newOid }, index) => {
        if (before[index] !== newOid) onEffect({ kind: 'ref', repository, name, oid: newOid })
      })
      return mismatches
    }
  }
  // Opening waits for no other writes: the upload's last writer may be among them.
  const openUpload: Store['openUpload'] = async (repository, id, size) => {
    const writer = await store.openUpload(repository, id, size)
    return observeWriter(writer, (digests) =>
      inTurn(async () => {
        const blob = await writer.finish(digests)
        if (blob.created) onEffect({ kind: 'object', repository, name: blob.oid })
        return blob
      })
    )
  }
  return new Proxy(store, {
    get(target, key) {
      if (Object.hasOwn(observed, key)) {
        const method = observed[key as keyof typeof observed] as (...values: unknown[]) => Promise<unknown>
        return (...values: unknown[]) => inTurn(() => method(...values))
      }
      if (key === 'openUpload') return openUpload
      const value = Reflect.get(target, key) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}

/** The same writer, which ends in this way. */
function observeWriter(writer: UploadWriter, finish: UploadWriter['finish']): UploadWriter {
  return {
    get offset() {
      return writer.offset
    },
    get blob() {
      return writer.blob
    },
    write: (chunk) => writer.write(chunk),
    finish,
    release: () => writer.release()
  }
}
