/** Compares a local directory with a branch. */
import type { Mode, ObjectFormat, Repository } from '../../src/index.ts'
import { BlobwireError, treeOid } from '../../src/index.ts'
import { CommandError } from '../errors.ts'
import { hashFile } from './hash-file.ts'
import { keyOf, type LocalFile, readFile } from './local-tree.ts'

/** A file with its oid. */
export interface HashedFile extends LocalFile {
  readonly oid: string
}

/** An entry of the branch. */
interface BranchEntry {
  readonly path: string
  readonly rawPath?: Uint8Array | undefined
  readonly mode: Mode
  readonly oid: string
}

/** A branch as it is on the server. */
export interface Branch {
  /** Oid of its commit; null = there is none. */
  readonly head: string | null
  /** Files, links and submodules by key. */
  readonly entries: ReadonlyMap<string, BranchEntry>
}

/** The branch's files. @throws BlobwireError */
export async function readBranch(repo: Repository, branch: string, signal: AbortSignal): Promise<Branch> {
  const revision = branch.startsWith('refs/heads/') ? branch : `refs/heads/${branch}`
  try {
    const { commit } = await repo.getCommit(revision, { signal })
    const head = commit.oid
    const { entries } = await repo.getTree({ revision: head, recursive: true }, { signal })
    const files = entries.filter(({ mode }) => mode !== '040000')
    return { head, entries: new Map(files.map((entry) => [keyOf(entry), entry])) }
  } catch (error) {
    if (error instanceof BlobwireError && error.is('revision')) return { head: null, entries: new Map() }
    throw error
  }
}

/** How files are hashed. */
interface HashingOptions {
  readonly objectFormat: ObjectFormat
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
  readonly onFile: () => void
}

/** Files that are read at a time. */
const maxReads = 4
/** A file that changes while it is read is read anew, so often. */
const maxTries = 3

/** Reads all files. The paths are checked, too. @throws CommandError, and BlobwireError for a path that Git refuses */
export async function hashFiles(files: readonly LocalFile[], options: HashingOptions): Promise<HashedFile[]> {
  const hashed: HashedFile[] = []
  const waiting = files.entries()
  const work = async () => {
    for (const [index, file] of waiting) {
      hashed[index] = await hashAsItIs(file, options)
      options.onFile()
    }
  }
  await Promise.all(Array.from({ length: maxReads }, work))
  const entries = hashed.map(({ path, mode, oid }) => ({ path, mode, oid }))
  treeOid(entries, { objectFormat: options.objectFormat })
  return hashed
}

/** The file as it is now, with its oid. @throws CommandError where it does not stay as it is */
export async function hashAsItIs(file: LocalFile, options: Omit<HashingOptions, 'onFile'>): Promise<HashedFile> {
  let current = file
  for (let tries = 0; tries < maxTries; tries++) {
    const oid = await hashFile(current, options)
    if (oid !== undefined) return { ...current, oid }
    current = await readFile(file.disk as Buffer, Buffer.from(file.key, 'latin1'))
  }
  throw new CommandError(`${file.disk} changes while it is read`)
}

/** The changes that make the branch equal to the directory. */
export interface Differences {
  readonly changed: readonly HashedFile[]
  /** Entries that the directory does not have. Submodules stay, unless something else is in their place. */
  readonly removed: readonly BranchEntry[]
}

export function differencesOf(files: readonly HashedFile[], { entries }: Branch): Differences {
  const changed = files.filter(({ key, oid, mode }) => {
    const entry = entries.get(key)
    return entry?.oid !== oid || entry.mode !== mode
  })
  const keys = new Set(files.map(({ key }) => key))
  const directories = new Set(files.flatMap(({ key }) => directoriesOf(key)))
  const removed: BranchEntry[] = []
  for (const [key, entry] of entries) {
    const isReplaced = directories.has(key) || directoriesOf(key).some((directory) => keys.has(directory))
    if (!keys.has(key) && (entry.mode !== '160000' || isReplaced)) removed.push(entry)
  }
  return { changed, removed }
}

function directoriesOf(key: string): string[] {
  const directories: string[] = []
  for (let at = key.indexOf('/'); at !== -1; at = key.indexOf('/', at + 1)) directories.push(key.slice(0, at))
  return directories
}
