/** The interface between the service and its stores. */
import type { RefMismatch } from '../../src/core/error.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import type { EventCursor, EventStore, NewRefEvent } from './events.ts'
import type { LargeContentStore } from './large-content.ts'
import type { PushLedger } from './push-ledger.ts'
import type { StoreVitals } from './vitals.ts'

/** A repository as a store knows it. `defaultBranch` is a full ref name. */
export interface RepositoryInfo {
  readonly repository: string
  readonly objectFormat: ObjectFormat
  readonly defaultBranch: string
  /** Tells the repository from earlier and later ones of its name; undefined where nobody but this server deletes any. */
  readonly incarnation?: string | undefined
}

/** A directory in which git writes packs for a repository. */
export interface PackIntake {
  /** An object directory (gitrepository-layout(5)), of which the repository knows nothing. */
  readonly path: string
  /** Makes its packs part of the repository, durably. */
  take(): Promise<void>
  /** Removes it, with all that was not taken. */
  remove(): Promise<void>
}

/** The result of `createRepository`. */
export interface Creation {
  readonly info: RepositoryInfo
  /** False = it was there. */
  readonly created: boolean
}

/** Options of `createRepository`. */
export interface CreationOptions {
  /** Full name of the branch that HEAD names; undefined = nobody chose one. */
  readonly defaultBranch?: string | undefined
  readonly request?: KeyedBy<Creation> | undefined
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

/** A blob as a store has it; `size` is that of its content. */
export interface DeflatedBlob {
  readonly size: number
  /** A zlib stream (RFC 1950). */
  readonly deflated: Uint8Array
}

/** A page of all objects of a repository, in the order of their oids. */
export interface ObjectScan {
  /** Empty = from the first. */
  readonly after: string
  /** Objects at most. A store gives fewer where their contents take much memory, but none at the end alone. */
  readonly limit: number
  /** Larger contents are left out. */
  readonly maxBytes: number
}

/** An object as a scan found it. */
export interface ScannedObject extends ObjectInfo {
  readonly oid: string
  readonly content?: Uint8Array | undefined
  /** The content as a zlib stream (RFC 1950), where the store has it so; `content` is left out then. */
  readonly deflated?: Uint8Array | undefined
}

/** A ref and the object it points to. */
export interface StoredRef {
  readonly name: string
  readonly oid: string
}

/** Refs, and the place at which they were like this. */
export interface RefsAt {
  readonly refs: readonly StoredRef[]
  readonly cursor: EventCursor
}

/** HEAD of a repository. */
export interface Head {
  /** Full name of the ref that HEAD names, through symbolic refs; empty = HEAD is detached: it holds an oid. */
  readonly ref: string
  /** Undefined = there is no such ref. */
  readonly oid: string | undefined
  /** There is no branch, and nobody chose one: the first becomes the default branch. */
  readonly isFree: boolean
}

/** One move of a ref; the all-zero oid stands for "no such ref" on either side. */
export interface RefMove {
  readonly name: string
  readonly expectedOid: string
  readonly newOid: string
}

/** The outcome of a write as it is remembered under its key. */
export interface RememberedOutcome {
  /** Of the request, to tell a repetition from another request under the same key. */
  readonly digest: string
  /** The response or the refusal, as the service wrote it. */
  readonly outcome: string
}

/** A write that is remembered under its key, atomically with its effect. */
export interface KeyedRequest extends RememberedOutcome {
  readonly key: string
  /** The moves of refs that this request makes, of those that are made together. */
  readonly moves: readonly RefMove[]
}

/**
 * Thrown by a write one of whose keys is remembered already, by another server on the same store. The write changed
 * nothing; the outcome can be recalled.
 */
export class KeyRemembered extends Error {
  constructor(key: string) {
    super(`the request key ${key} is remembered already`)
  }
}

/**
 * Thrown by a write that means a repository of which the name means another one by now. The write changed nothing; a
 * repetition finds the other one.
 */
export class RepositoryReplaced extends Error {
  constructor(repository: string) {
    super(`the repository ${repository} was deleted and created again`)
  }
}

/** What a store writes down with the moves of refs, or not at all. */
export interface MoveRecords {
  /** The writes that make the moves, remembered with them. */
  readonly requests?: readonly KeyedRequest[] | undefined
  /**
   * The moves of each call, in order: together they are the moves that are made. Undefined = all moves are those of one
   * call.
   */
  readonly events?: readonly NewRefEvent[] | undefined
  /**
   * Stored before the refs are looked at, so that moves may point to them: a store can send both at once. They stay, too,
   * where the moves are refused.
   */
  readonly objects?: readonly NewObject[] | undefined
  /** Called before each try. @throws BlobwireError where nobody waits for the answer any more: nothing is moved then */
  readonly throwIfAbandoned?: (() => void) | undefined
  /** The repository that is meant. @throws RepositoryReplaced */
  readonly incarnation?: string | undefined
}

/** The questions with which most writes begin. */
export interface WriteQuestions {
  readonly refs: readonly string[]
  readonly keys: readonly string[]
}

/** Their answers, each list in order. */
export interface WriteStart {
  readonly info: RepositoryInfo
  /** Undefined = no such ref. */
  readonly oids: readonly (string | undefined)[]
  /** Undefined = nothing is remembered under the key. */
  readonly remembered: readonly (RememberedOutcome | undefined)[]
}

/** Makes the keyed request once the store knows its result, and before it has its effect. */
export type KeyedBy<Result> = (result: Result) => KeyedRequest

/** A page of a sorted listing: names that begin with `prefix` and come after `after`. */
export interface PageRequest {
  readonly prefix: string
  readonly after: string
  readonly limit: number
}

/**
 * Keeps repositories. Everything is keyed by repository first. The service has checked names and oids. A method that
 * takes a repository throws `not_found` (reason `repository`) where there is none. A write under a key that is remembered
 * already throws `KeyRemembered`.
 */
export interface Store extends LargeContentStore, EventStore {
  /**
   * How long a key is remembered with certainty, in seconds. Keys belong to the name of a repository and outlive the
   * repository.
   */
  readonly requestKeySeconds: number
  /** What is remembered under a key; undefined = nothing. */
  recall(repository: string, key: string): Promise<RememberedOutcome | undefined>
  /** Remembers outcomes without an effect, such as refusals; they are durable when it resolves. */
  remember(repository: string, requests: readonly KeyedRequest[]): Promise<void>

  /**
   * Creates the repository, or returns an existing one of any format. It and its key are durable when the promise
   * resolves.
   */
  createRepository(repository: string, objectFormat: ObjectFormat, options?: CreationOptions): Promise<Creation>
  /**
   * Has HEAD name this branch, which need not exist, by its full name. It and its key are durable when the promise
   * resolves.
   */
  updateRepository(
    repository: string,
    defaultBranch: string,
    request?: KeyedBy<RepositoryInfo>
  ): Promise<RepositoryInfo>
  /** At once where the store knows without waiting. */
  getRepository(repository: string): Promise<RepositoryInfo | undefined> | RepositoryInfo | undefined
  /**
   * Whether the name means this repository still. For stores that several servers use, which may tell of a repository a
   * little later that it is gone.
   */
  isCurrent?(info: RepositoryInfo): Promise<boolean>
  listRepositories(page: PageRequest): Promise<RepositoryInfo[]>
  /** Deletes a repository with everything in it; false = there was none. */
  deleteRepository(repository: string, request?: KeyedBy<boolean>): Promise<boolean>

  /**
   * Stores all objects, durably, before it resolves; undefined = it has done so. An object that is stored already is no
   * error.
   *
   * @param incarnation the repository that is meant
   * @throws RepositoryReplaced
   */
  putObjects(repository: string, objects: readonly NewObject[], incarnation?: string): Promise<void> | undefined
  /** One for each oid, in order; undefined = missing. Contents above `maxBytes` are left out. */
  readObjects(repository: string, oids: readonly string[], maxBytes: number): Promise<(StoredObject | undefined)[]>
  /**
   * Blobs up to `maxBytes` as the store has them, deflated, one for each oid, in order; undefined = to be read by
   * `readObjects`. Stores that have contents in another form do without it.
   */
  readDeflated?(repository: string, oids: readonly string[], maxBytes: number): Promise<(DeflatedBlob | undefined)[]>
  /** One for each oid, in order; undefined = missing. */
  hasObjects(repository: string, oids: readonly string[]): Promise<(ObjectInfo | undefined)[]>

  /**
   * Oids of the next commits, at most `count`, that a walk from these commits visits in the order of `git log`: a hint for
   * reading ahead. Stores that answer each question at once do without it.
   */
  commitsFrom?(repository: string, tips: readonly string[], count: number): Promise<string[]>

  /**
   * All objects of a repository, a page a call: those that were stored before the first call, and maybe others. For
   * stores with a network between them and their data, in which to walk a history takes a round trip for each commit.
   */
  scanObjects?(repository: string, scan: ObjectScan): Promise<ScannedObject[]>

  /** The commits at which a shallow history ends: their parents are left out. Stores without it have none. */
  shallowCommits?(repository: string): Promise<ReadonlySet<string>>

  /**
   * Opens a directory for packs that git writes. Stores whose repositories are not Git's do without it.
   *
   * @param incarnation the repository that is meant
   * @throws RepositoryReplaced, and so does `take`
   */
  openPackIntake?(repository: string, incarnation?: string): Promise<PackIntake>

  /** Refs in the byte order of their names, without HEAD. */
  listRefs(repository: string, page: PageRequest): Promise<StoredRef[]>
  /** The same, with the place of which the page is true. */
  refsAt(repository: string, page: PageRequest): Promise<RefsAt>
  /** HEAD, which follows the branches where it names one that does not exist and that nobody chose. */
  readHead(repository: string): Promise<Head>
  /** The oid of each ref, in order; undefined = no such ref. */
  readRefs(repository: string, names: readonly string[]): Promise<(string | undefined)[]>
  /** All that a write asks first, in one round trip, where the store has a network between it and its data. */
  startWrite?(repository: string, questions: WriteQuestions): Promise<WriteStart>
  /**
   * Moves all refs or none, durably, before it resolves. Returns the refs that were not at their expected oid; an empty
   * list = done. A ref that is at its new oid already is a mismatch like any other.
   */
  updateRefs(repository: string, moves: readonly RefMove[], records?: MoveRecords): Promise<RefMismatch[]>

  /**
   * Path of the bare repository in which the store holds it, for programs that read it. Of stores without it, exports are
   * read.
   */
  gitDirectory?(repository: string): Promise<string>

  /** Facts for metrics and health. Stores without them are taken for healthy. */
  readonly vitals?: StoreVitals

  /** Which of several servers sends push events. Undefined = there is one server. */
  readonly pushLedger?: PushLedger

  /** Waits for pending calls, then closes processes and files. */
  close(): Promise<void>
}
