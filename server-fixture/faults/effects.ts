import type { NewObject, RefMove, RepositoryInfo, Store } from '../store/store.ts'

/** A write that changed something: an object that was not there, a ref that moved, a repository made or deleted. */
export interface Effect {
  readonly kind: 'object' | 'ref' | 'repository_created' | 'repository_deleted'
  readonly repository: string
  /** Of an object its oid, of a ref its name; else empty. */
  readonly name: string
  /** Of a ref, where it points now. */
  readonly oid?: string
}

/**
 * The same store, which tells each write that had an effect. A write that is repeated has none the second time, so that a
 * test can hold the list against what it asked for.
 */
export function withEffects(store: Store, tell: (effect: Effect) => void): Store {
  // One after the other, or two that store the same object at the same time would both find it missing.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  const told: Pick<Store, 'createRepository' | 'deleteRepository' | 'putObjects' | 'updateRefs'> = {
    async createRepository(repository, objectFormat): Promise<RepositoryInfo> {
      const before = await store.getRepository(repository)
      const info = await store.createRepository(repository, objectFormat)
      if (before === undefined) tell({ kind: 'repository_created', repository, name: '' })
      return info
    },
    async deleteRepository(repository): Promise<void> {
      const before = await store.getRepository(repository)
      await store.deleteRepository(repository)
      if (before !== undefined) tell({ kind: 'repository_deleted', repository, name: '' })
    },
    async putObjects(repository: string, objects: readonly NewObject[]): Promise<void> {
      const oids = objects.map(({ oid }) => oid)
      const before = await store.hasObjects(repository, oids)
      await store.putObjects(repository, objects)
      const seen = new Set<string>()
      oids.forEach((oid, index) => {
        if (before[index] === undefined && !seen.has(oid)) tell({ kind: 'object', repository, name: oid })
        seen.add(oid)
      })
    },
    async updateRefs(repository: string, moves: readonly RefMove[]) {
      const before = await store.readRefs(
        repository,
        moves.map(({ name }) => name)
      )
      const mismatches = await store.updateRefs(repository, moves)
      if (mismatches.length > 0) return mismatches
      moves.forEach(({ name, newOid }, index) => {
        if (before[index] !== newOid) tell({ kind: 'ref', repository, name, oid: newOid })
      })
      return mismatches
    }
  }
  return new Proxy(store, {
    get(target, key) {
      if (Object.hasOwn(told, key)) {
        const method = told[key as keyof typeof told] as (...values: unknown[]) => Promise<unknown>
        return (...values: unknown[]) => inTurn(() => method(...values))
      }
      const value = Reflect.get(target, key) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
}
