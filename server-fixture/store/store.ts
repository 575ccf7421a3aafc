/** The interface between the service and its stores. */
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

/** An object without its bytes; `size` in bytes. */
export interface ObjectInfo {
  readonly kind: ObjectKind
  readonly size: number
}

/** An object that was read; `content` is undefined where it is larger than the caller allowed. */
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
 * Keeps repositories. Everything is keyed by repository first. The service has checked names and oids. A method that
 * takes a repository throws `not_found` (reason `repository`) where there is none.
 */
export interface Store {
  /** Creates the repository, or returns an existing one of any format. It is durable when the promise resolves. */
  createRepository(repository: string, objectFormat: ObjectFormat): Promise<RepositoryInfo>
  getRepository(repository: string): Promise<RepositoryInfo | undefined>
  listRepositories(page: PageRequest): Promise<RepositoryInfo[]>
  /** Deletes a repository with everything in it; a missing one is success. */
  deleteRepository(repository: string): Promise<void>

  /** Stores all objects, durably, before it resolves. An object that is stored already is no error. */
  putObjects(repository: string, objects: readonly NewObject[]): Promise<void>
  /** One for each oid, in order; undefined = missing. Contents above `maxBytes` are left out. */
  readObjects(repository: string, oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]>
  /** One for each oid, in order; undefined = missing. */
  hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]>

  /** Refs in the byte order of their names, without HEAD. */
  listRefs(repository: string, page: PageRequest): Promise<StoredRef[]>
  /** The oid of each ref, in order; undefined = no such ref. */
  readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]>
  /**
   * Moves all refs or none, durably, before it resolves. A ref that is already at `newOid` counts as moved.
   * Returns the refs that were not at their expected oid; an empty list = done.
   */
  updateRefs(repository: string, moves: readonly RefMove[]): Promise<RefMismatch[]>

  /** Waits for pending calls, then closes processes and files. */
  close(): Promise<void>
}
