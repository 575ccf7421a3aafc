/** The inputs of calls, as users give them. */
import type { Mode } from '../git/mode.ts'
import type { ObjectFormat, ObjectKind } from '../git/oid.ts'
import type { FileUrl, UploadSource } from '../transfer/source-kinds.ts'

/**
 * Content of a file; a string stands for its UTF-8 bytes. The bytes are not copied: do not change, transfer or resize them
 * before the call has settled. A call whose bytes are gone fails with `invalid_argument`, reason `content_gone`.
 */
export type Bytes = Uint8Array | string

/** Content to upload, and the calls' own bytes: any source of `UploadSource`. */
export interface UploadInput {
  source: UploadSource
}

/**
 * A path in a tree, with `/` between the segments. Git's names are bytes: of a path that is not UTF-8, give the bytes, such
 * as the `rawPath` of a listing.
 */
export type Path = string | Uint8Array

/** Author or committer of a commit, with the time. */
export interface Author {
  name: string
  email: string
  /**
   * Seconds since 1970-01-01T00:00:00Z, not milliseconds: `Math.floor(date.getTime() / 1000)`.
   * @default now: by the server's clock in `commitFiles`, by the client's clock in `storeCommit`
   */
  timeSeconds?: number | undefined
  /**
   * Offset from UTC as Git writes it, such as `+0100`.
   * @default '+0000'
   */
  zone?: string | undefined
}

/**
 * Address of a blob: its oid, or a revision and a path. `revision` is an oid, ref, branch or tag, optionally followed
 * by `~N` and `^N`.
 */
export type BlobAddress = { oid: string } | { revision: string; path: Path }

/** One entry of a new tree. An empty `oid` removes the path from the base tree. */
export interface NewTreeEntry {
  /** Path relative to the tree, with `/` between segments. The client creates subtrees as needed. */
  path: Path
  /** May be empty where the entry removes the path. */
  mode: Mode | ''
  oid: string
  /**
   * As in listings, so that their entries can be given back: takes the place of `path`, unless it is empty.
   * @default none
   */
  rawPath?: Uint8Array | undefined
}

/** A new tree. */
export interface StoreTreeInput {
  entries: readonly NewTreeEntry[]
  /**
   * Oid of the tree to which the entries are applied.
   * @default the empty tree
   */
  baseTree?: string | undefined
}

/** The tree to list. */
export interface GetTreeInput {
  /**
   * Revision of a commit or tree.
   * @default 'HEAD'
   */
  revision?: string | undefined
  /**
   * Path of a directory.
   * @default '' (the root)
   */
  path?: Path | undefined
  /**
   * Whether the listing includes the entries of subdirectories, each after its directory.
   * @default false
   */
  recursive?: boolean | undefined
}

/** A new commit. */
export interface StoreCommitInput {
  /** Oid of the commit's tree. */
  tree: string
  /**
   * Oids of the parent commits.
   * @default []
   */
  parents?: readonly string[] | undefined
  author: Author
  /** @default the author */
  committer?: Author | undefined
  /** Message of the commit, stored unchanged. Git's own tools end messages with a newline. */
  message: string
}

/** A new object, as its bytes. */
export interface StoreObjectInput {
  kind: ObjectKind
  /** Content of the object, without Git's header: the output of `git cat-file KIND OID`. */
  content: Bytes
  /**
   * Which objects the server takes: with `strict`, those about which `git fsck --strict` reports nothing; with `lenient`,
   * all that Git can read, as `git push` does by default. The result then has the reports as `warnings`.
   * @default 'strict'
   */
  check?: 'strict' | 'lenient' | undefined
}

/**
 * Address of an object: its oid, or a revision with or without a path. The revision is an oid, ref, branch or tag,
 * optionally followed by `~N` and `^N`; the name of an annotated tag stands for the tag itself.
 */
export type ObjectAddress =
  | { oid: string }
  | {
      revision: string
      /** @default '' (the object of the revision) */
      path?: Path | undefined
    }

/** A new annotated tag. */
export interface StoreTagInput {
  /** Oid of the tagged object. */
  object: string
  /**
   * Kind that the tagged object must have. Required with `sign`.
   * @default the kind that it has
   */
  kind?: ObjectKind | undefined
  /** Name of the tag, such as `v1.0`. */
  name: string
  /** Without `timeSeconds`, the date is the time of the call by the client's clock. */
  tagger: Author
  /** Message of the tag, stored unchanged. Git's own tools end messages with a newline; one to be signed must. */
  message: string
}

/** A guard that a change may have. */
export interface Guarded {
  /**
   * Oid that must be at the path (of a move: at its source) when the server makes the commit, or `null` where nothing
   * may be there. Otherwise the call fails with `aborted`, reason `path_mismatch`, and changes nothing. Without a guard,
   * the change replaces whatever is at the path.
   * @default none
   */
  expectedOid?: string | null | undefined
}

/**
 * The change of one path: new content (bytes, a string, a `Blob`, a stream or a function that returns one, or `{ file }`),
 * an object already stored, a file moved from another path, or `null` (also
 * `{ delete: true }`) to remove it. The objects take a guard, `expectedOid`.
 */
export type Change =
  | Bytes
  | null
  | Exclude<UploadSource, Bytes | { file: unknown }>
  | ({
      content: UploadSource
      /** @default '100644' */
      mode?: Mode | undefined
    } & Guarded)
  | ({
      /** Path of a file whose content it is, or a `file:` URL. */
      file: string | FileUrl
      /** @default '100644' */
      mode?: Mode | undefined
    } & Guarded)
  | ({
      oid: string
      /** @default '100644' */
      mode?: Mode | undefined
    } & Guarded)
  | ({
      /** Path of the file or directory in the commit that the new one is made on. */
      moveFrom: Path
      /** @default the moved file's mode */
      mode?: Mode | undefined
    } & Guarded)
  | ({ delete: true } & Guarded)

/** Changes by path. A `Map` also accepts `__proto__` and paths that are not UTF-8, which an object literal does not. */
export type Changes = Readonly<Record<string, Change>> | ReadonlyMap<Path, Change>

/** Guards by path: the oid that must be there, or `null` where nothing may be there. */
export type Guards = Readonly<Record<string, string | null>> | ReadonlyMap<Path, string | null>

/** Changes of files, to be committed on a branch. */
export interface CommitFilesInput {
  /**
   * Name of the branch: `main` or `refs/heads/main`. A branch that does not exist is created. Names that look like other
   * refs (`refs/tags/x`, `heads/x`) are refused.
   */
  branch: string
  changes: Changes
  /**
   * Paths that the changes depend on without changing them, with the oid that must be at each, or `null` where nothing
   * may be there. Otherwise the call fails with `aborted`, reason `path_mismatch`. A path of `changes` takes its guard
   * there, as `expectedOid`.
   * @default none
   * @example
   * const seen = await repo.getBlob({ revision: 'main', path: 'old.txt' })
   * const guards = { 'old.txt': seen.oid, 'closed.txt': null }
   * await repo.commitFiles({ ...commit, changes: { 'copy.txt': seen.content }, guards })
   */
  guards?: Guards | undefined
  message: string
  /** Without `timeSeconds`, the date is the time of the commit by the server's clock. */
  author: Author
  /** @default the author */
  committer?: Author | undefined
  /**
   * Oid that the branch must point to, or `null` where the branch must not exist. Otherwise the call fails with
   * `aborted`, reason `ref_mismatch`.
   * @default whatever the branch points to when the server carries out the call, in order of arrival
   */
  expectedHead?: string | null | undefined
}

/** The page of a listing. */
export interface PageInput {
  /**
   * Maximum number of items on the page, 1 or more. The server may return fewer, or none, although more follow.
   * @default the server's default (100; 1000 for paths)
   */
  pageSize?: number | undefined
  /**
   * `nextPageToken` of the previous page.
   * @default '' (the first page)
   */
  pageToken?: string | undefined
}

/** The commits to list. */
export interface ListCommitsInput extends PageInput {
  /** @default 'HEAD' */
  revision?: string | undefined
  /**
   * Only commits that change this path.
   * @default '' (all commits)
   */
  path?: Path | undefined
}

/** The names to list. */
export interface ListInput extends PageInput {
  /**
   * Prefix of the names, such as `refs/heads/`.
   * @default '' (all names)
   */
  prefix?: string | undefined
}

/** The two commits or trees to compare. */
export interface CompareInput extends PageInput {
  base: string
  head: string
}

/** One update of a ref. `null` stands for a ref that does not exist. */
export interface RefUpdateInput {
  /** Full name of the ref, such as `refs/heads/main`; of one that is not UTF-8, its bytes (`rawName` of a listing). */
  name: string | Uint8Array
  expectedOid: string | null
  newOid: string | null
}

/** Options of a new repository. */
export interface CreateRepositoryInput {
  /** @default 'sha1' */
  objectFormat?: ObjectFormat | undefined
  /**
   * The branch that `HEAD` names, whether it exists yet or not: `trunk` or `refs/heads/trunk`. A repository that exists
   * keeps its own. Without it, the first branch that is made takes the place of `main`.
   * @default 'main'
   */
  defaultBranch?: string | undefined
}

/** What to change of a repository. */
export interface UpdateRepositoryInput {
  /** The branch that `HEAD` names from now on, whether it exists yet or not: `trunk` or `refs/heads/trunk`. */
  defaultBranch: string
}

/** The key of an operation that moves refs. */
export interface KeyedInput {
  /**
   * As in `WriteOptions`. Only in a batch that is not atomic; a call of its own has it in its options.
   * @default a random key
   */
  requestKey?: string | undefined
}
