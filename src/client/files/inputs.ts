/** The inputs and results of `readFiles`, `archive` and `checkout`. */
import type { Mode } from '../../git/mode.ts'
import type { ProgressListener } from '../../transfer/progress.ts'
import type { Path } from '../inputs.ts'

/** Which files of a tree. */
export interface FilesInput {
  /**
   * Revision of a commit or tree.
   * @default 'HEAD'
   */
  revision?: string | undefined
  /**
   * Path of a directory: the files below it, with paths that begin there.
   * @default '' (the root)
   */
  path?: Path | undefined
  /**
   * Only the files whose path, from `path` on, matches this pattern, or one of several, such as `*.md` or
   * `{src,test}/**\/?.ts`. `*` and `?` match no `/`; `**` matches any directories. Names that begin with a dot match as
   * others do, and upper case is not lower case. A pattern that begins with `!` or `/` is refused.
   * @default all files
   */
  glob?: GlobPattern | undefined
}

/** A pattern for paths, or several of which one has to match. */
export type GlobPattern = string | readonly string[]

/** A file of a tree, with its content. */
export interface RepositoryFile {
  /** Path from the directory that was listed, with `/` between the segments. */
  readonly path: string
  /** Only where the path is not UTF-8: its bytes. */
  readonly rawPath?: Uint8Array
  /** `100644`, `100755` for an executable, or `120000` for a symbolic link, whose content is its target. */
  readonly mode: Mode
  readonly oid: string
  /** In bytes. */
  readonly size: number
  /** The content, up to `maxInlineBytes` (1 MiB by default); undefined for larger files, which `stream()` reads. */
  readonly content: Uint8Array | undefined
  /** The content of a file of any size, in chunks; each call reads it anew. It ends by a throw where it is not the oid's. */
  stream(): AsyncIterable<Uint8Array>
  /** The whole content of a file of any size. */
  bytes(): Promise<Uint8Array>
}

/** Which files an archive has, and how. */
export interface ArchiveInput extends FilesInput {
  format: 'tar' | 'tar.gz' | 'zip'
  /**
   * Begins the path of each member, such as `project-1.0/`.
   * @default ''
   */
  prefix?: string | undefined
}

/** What a checkout takes, and from where. */
export interface CheckoutInput {
  /**
   * Revision of a commit or tree.
   * @default 'HEAD'
   */
  revision?: string | undefined
  /**
   * Path of a directory, whose files are written.
   * @default '' (the root)
   */
  path?: Path | undefined
  /**
   * Whether to remove entries of the directory that the tree does not have, and those that are where the tree has something
   * of another kind. Entries named `.git`, and the directories of submodules, stay.
   * @default false
   */
  remove?: boolean | undefined
  /**
   * Called with the progress, at most ten times a second: `list`, then `hash` (files that are there are compared), then
   * `write`. Files that are there as the tree has them count as done. The sizes of the others are not known before.
   * @default none
   */
  onProgress?: ProgressListener | undefined
}

/** What a checkout did. */
export interface CheckoutResult {
  /** Oid of the tree that the directory now has. */
  tree: string
  /** Files and links that were written, or whose permission was changed. */
  written: number
  /** Bytes of the contents that were written. */
  bytes: number
  /** Files and links that were there as the tree has them. */
  unchanged: number
  /** Entries that were removed. */
  removed: number
  /** Submodules: their commits are in other repositories, and nothing is written for them. */
  skipped: { path: string; rawPath?: Uint8Array; oid: string }[]
}
