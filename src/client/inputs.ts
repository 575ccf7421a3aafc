/** The inputs of calls, as users give them. */
import type { Mode } from '../git/mode.ts'
import type { ObjectFormat } from '../git/oid.ts'

/** Bytes of a file; a string stands for its UTF-8. They must not be changed until the call has settled. */
export type Bytes = Uint8Array | string

/** Who made a commit, and when. */
export interface Author {
  name: string
  email: string
  /**
   * Seconds since 1970-01-01T00:00:00Z.
   * @default now, by the client's clock
   */
  timeSeconds?: number | undefined
  /**
   * Offset from UTC as Git writes it, such as `+0100`.
   * @default '+0000'
   */
  zone?: string | undefined
}

/** A blob by its oid, or by where it stands: `revision` is an oid, ref, branch or tag, also with `~N` and `^N`. */
export type BlobAddress = { oid: string } | { revision: string; path: string }

/** One entry of a tree that is to be stored; an empty `oid` removes the path from the base tree. */
export interface NewTreeEntry {
  /** From the tree, with `/` between segments; subtrees are made as needed. */
  path: string
  mode: Mode
  oid: string
}

/** A tree that is to be stored. */
export interface StoreTreeInput {
  entries: readonly NewTreeEntry[]
  /**
   * Oid of the tree that the entries change.
   * @default the empty tree
   */
  baseTree?: string | undefined
}

/** Which tree to list. */
export interface GetTreeInput {
  /**
   * A commit or tree.
   * @default 'HEAD'
   */
  revision?: string | undefined
  /**
   * Of a directory.
   * @default '' (the root)
   */
  path?: string | undefined
  /**
   * Also everything below, directories before what is in them.
   * @default false
   */
  recursive?: boolean | undefined
}

/** A commit that is to be stored. */
export interface StoreCommitInput {
  /** Oid of a tree. */
  tree: string
  /**
   * Oids of commits.
   * @default []
   */
  parents?: readonly string[] | undefined
  author: Author
  /** @default the author */
  committer?: Author | undefined
  /** Stored as it is; Git's own tools end it with a newline. */
  message: string
}

/** What becomes of one path: new bytes, an object that is stored already, a file moved from elsewhere, or `null` = removed. */
export type Change =
  | Bytes
  | null
  | {
      content: Bytes
      /** @default '100644' */
      mode?: Mode | undefined
    }
  | {
      oid: string
      /** @default '100644' */
      mode?: Mode | undefined
    }
  | {
      moveFrom: string
      /** @default the moved file's mode */
      mode?: Mode | undefined
    }

/** Changes by path. A `Map` also takes paths that an object literal cannot (`__proto__`). */
export type Changes = Readonly<Record<string, Change>> | ReadonlyMap<string, Change>

/** A commit that changes files on a branch. */
export interface CommitFilesInput {
  /** `main` or `refs/heads/main`. It is made if there is none. */
  branch: string
  changes: Changes
  message: string
  author: Author
  /** @default the author */
  committer?: Author | undefined
  /**
   * Oid the branch must be at, or `null` = it must not exist; else the call fails with `aborted`, reason
   * `ref_mismatch`.
   * @default wherever it is: others' commits in between are kept, and this one goes on top
   */
  expectedHead?: string | null | undefined
}

/** One page of a listing. */
export interface PageInput {
  /**
   * At most this many; the server may give fewer.
   * @default what the server does (100; for paths 1000)
   */
  pageSize?: number | undefined
  /**
   * `nextPageToken` of the page before.
   * @default '' (from the start)
   */
  pageToken?: string | undefined
}

/** Which commits to list. */
export interface ListCommitsInput extends PageInput {
  /** @default 'HEAD' */
  revision?: string | undefined
  /**
   * Only commits that change this path.
   * @default '' (all commits)
   */
  path?: string | undefined
}

/** Which names to list. */
export interface ListInput extends PageInput {
  /**
   * Only names that begin with this, such as `refs/heads/`.
   * @default '' (all names)
   */
  prefix?: string | undefined
}

/** Two commits or trees. */
export interface CompareInput extends PageInput {
  base: string
  head: string
}

/** One move of a ref; `null` = no such ref. */
export interface RefUpdateInput {
  /** Full name, such as `refs/heads/main`. */
  name: string
  expectedOid: string | null
  newOid: string | null
}

/** How a repository is made. */
export interface CreateRepositoryInput {
  /** @default 'sha1' */
  objectFormat?: ObjectFormat | undefined
}

/** What each kind of operation takes in a batch. */
export interface OperationInputs {
  storeBlob: { content: Bytes }
  getBlob: BlobAddress
  findMissing: { oids: readonly string[] }
  storeTree: StoreTreeInput
  getTree: GetTreeInput & PageInput
  storeCommit: StoreCommitInput
  getCommit: { /** @default 'HEAD' */ revision?: string | undefined }
  listCommits: ListCommitsInput
  /** In a batch, `expectedHead` has to be given. */
  commitFiles: CommitFilesInput
  listRefs: ListInput
  updateRefs: { updates: readonly RefUpdateInput[] }
  compare: CompareInput
  getRepository: Record<never, never>
}

/** Name of a kind of operation. */
export type OperationName = keyof OperationInputs

/** One operation of a batch: an object with one key, the operation's name. */
export type Operation = {
  [Name in OperationName]: { readonly [Key in Name]: OperationInputs[Name] } & {
    readonly [Key in Exclude<OperationName, Name>]?: undefined
  }
}[OperationName]
