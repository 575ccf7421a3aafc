import type { RefMismatch } from '../../src/core/error.ts'
import { type ObjectFormat, zeroOid } from '../../src/git/oid.ts'
import { pageOfNames, repositoryNotFound } from './name-page.ts'
import { checkNameConflicts, checkTargets, compareRefs } from './ref-rules.ts'
import type {
  NewObject,
  ObjectInfo,
  PageRequest,
  RefMove,
  RepositoryInfo,
  Store,
  StoredObject,
  StoredRef
} from './store.ts'

interface MemoryRepository {
  readonly info: RepositoryInfo
  readonly objects: Map<string, NewObject>
  readonly refs: Map<string, string>
}

/** Small contents share buffers of this size: a million of their own take ten times the memory, and time to free. */
const slabBytes = 256 * 1024

/**
 * A store in this process's memory, for tests and benchmarks: nothing outlives it. Every method does its work before it
 * first waits, so that calls are atomic without locks.
 */
export class MemoryStore implements Store {
  readonly #repositories = new Map<string, MemoryRepository>()
  #slab = new Uint8Array(0)
  #slabUsed = 0

  async createRepository(repository: string, objectFormat: ObjectFormat): Promise<RepositoryInfo> {
    const existing = this.#repositories.get(repository)
    if (existing) return existing.info
    const info: RepositoryInfo = { repository, objectFormat, defaultBranch: 'refs/heads/main' }
    this.#repositories.set(repository, { info, objects: new Map(), refs: new Map() })
    return info
  }

  async getRepository(repository: string): Promise<RepositoryInfo | undefined> {
    return this.#repositories.get(repository)?.info
  }

  async listRepositories(page: PageRequest): Promise<RepositoryInfo[]> {
    return pageOfNames(this.#repositories.keys(), page).map((name) => this.#find(name).info)
  }

  async deleteRepository(repository: string): Promise<void> {
    this.#repositories.delete(repository)
  }

  async putObjects(repository: string, objects: readonly NewObject[]): Promise<void> {
    const stored = this.#find(repository).objects
    for (const { oid, kind, content } of objects) {
      if (!stored.has(oid)) stored.set(oid, { oid, kind, content: this.#copy(content) })
    }
  }

  /** The caller's bytes may be a small view of a large buffer, and would keep all of it. */
  #copy(content: Uint8Array): Uint8Array {
    const { length } = content
    // What fills most of its buffer already wastes nothing; doors do not write to what they have handed over.
    if (length * 2 > content.buffer.byteLength) return content
    if (length > slabBytes / 8) return new Uint8Array(content)
    if (length > this.#slab.length - this.#slabUsed) {
      this.#slab = new Uint8Array(slabBytes)
      this.#slabUsed = 0
    }
    const copy = this.#slab.subarray(this.#slabUsed, this.#slabUsed + length)
    copy.set(content)
    this.#slabUsed += length
    return copy
  }

  async readObjects(
    repository: string,
    oids: readonly string[],
    maxBytes: number
  ): Promise<(StoredObject | undefined)[]> {
    const stored = this.#find(repository).objects
    return oids.map((oid) => {
      const object = stored.get(oid)
      if (!object) return undefined
      const { kind, content } = object
      return { kind, size: content.length, content: content.length > maxBytes ? undefined : content }
    })
  }

  async hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]> {
    return this.#infos(this.#find(repository), oids)
  }

  async listRefs(repository: string, page: PageRequest): Promise<StoredRef[]> {
    const { refs } = this.#find(repository)
    return pageOfNames(refs.keys(), page).map((name) => ({ name, oid: refs.get(name) as string }))
  }

  async readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]> {
    const { refs } = this.#find(repository)
    return names.map((name) => refs.get(name))
  }

  async updateRefs(repository: string, moves: readonly RefMove[]): Promise<RefMismatch[]> {
    const found = this.#find(repository)
    const zero = zeroOid(found.info.objectFormat)
    const { pending, mismatches } = compareRefs(
      moves,
      moves.map((move) => found.refs.get(move.name)),
      zero
    )
    if (mismatches.length > 0) return mismatches
    checkTargets(
      pending,
      this.#infos(
        found,
        pending.map((move) => move.newOid)
      )
    )
    checkNameConflicts(pending, found.refs.keys())
    for (const { name, newOid } of pending) {
      if (newOid === zero) found.refs.delete(name)
      else found.refs.set(name, newOid)
    }
    return []
  }

  async close(): Promise<void> {}

  #find(repository: string): MemoryRepository {
    const found = this.#repositories.get(repository)
    if (!found) throw repositoryNotFound(repository)
    return found
  }

  #infos({ objects }: MemoryRepository, oids: readonly string[]): (ObjectInfo | undefined)[] {
    return oids.map((oid) => {
      const object = objects.get(oid)
      return object && { kind: object.kind, size: object.content.length }
    })
  }
}
