import type { RefMismatch } from '../../src/core/error.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'

/** A repository as a store knows it. `defaultBranch` is a full ref name. */
export interface RepositoryInfo {
  readonly repository: string
  readonly objectFormat: ObjectFormat
  readonly defaultBranch: string
}

/** An object to be stored; `content` is without Git's header. */
export interface NewObject {
  readonly oid: string
  readonly kind: ObjectKind
  readonly content: Uint8Array
}

/** What is known of an object without its bytes; `size` in bytes. */
export interface ObjectInfo {
  readonly kind: ObjectKind
  readonly size: number
}

/** An object that was read; `content` is undefined where it is larger than was asked for. */
export interface StoredObject extends ObjectInfo {
  readonly content: Uint8Array | undefined
}

/** A ref and the object it points to. */
export interface StoredRef {
  readonly name: string
  readonly oid: string
}

/** One move of a ref; the all-zero oid stands for "no such ref" on either side. */
export interface RefMove {
  readonly name: string
  readonly expectedOid: string
  readonly newOid: string
}

/** A page of a sorted listing: names that begin with `prefix` and come after `after`. */
export interface PageRequest {
  readonly prefix: string
  readonly after: string
  readonly limit: number
}

/**
 * Where repositories are kept. Everything is keyed by repository first. Names and oids were checked by the service.
 * A method that takes a repository throws `not_found` (reason `repository`) where there is none.
 */
export interface Store {
  /** Creates the repository, or finds it with whatever format it has. It is durable when this resolves. */
  createRepository(repository: string, objectFormat: ObjectFormat): Promise<RepositoryInfo>
  getRepository(repository: string): Promise<RepositoryInfo | undefined>
  listRepositories(page: PageRequest): Promise<RepositoryInfo[]>
  /** Deletes it with everything in it; nothing to delete is success. */
  deleteRepository(repository: string): Promise<void>

  /** Stores all objects, durably, before it resolves. What is there already is not an error. */
  putObjects(repository: string, objects: readonly NewObject[]): Promise<void>
  /** One for each oid, in order; undefined = not there. Contents above `maxBytes` are left out. */
  readObjects(repository: string, oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]>
  /** One for each oid, in order; undefined = not there. */
  hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]>

  /** Refs in the byte order of their names, without HEAD. */
  listRefs(repository: string, page: PageRequest): Promise<StoredRef[]>
  /** The oid of each ref, in order; undefined = no such ref. */
  readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]>
  /**
   * Moves all refs or none, durably, before it resolves. A ref that is already at `newOid` counts as moved.
   * Returns the refs that were not where they were expected; an empty list = done.
   */
  updateRefs(repository: string, moves: readonly RefMove[]): Promise<RefMismatch[]>

  /** Waits for what is under way and lets go of processes and files. */
  close(): Promise<void>
}
