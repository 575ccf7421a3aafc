/** Puts a local directory into a repository, as one commit on a branch. */
import {
  type Author,
  BlobwireError,
  type Change,
  type Limits,
  type Path,
  type Repository,
  type TransferProgress
} from '../../src/index.ts'
import { type Branch, differencesOf, type HashedFile, hashFiles, readBranch } from './differences.ts'
import { type LocalFile, type LocalTree, readLocalTree } from './local-tree.ts'
import type { ResumeFile } from './resume-file.ts'
import { uploadFiles } from './send-files.ts'

/** The input of `importDirectory`. */
export interface ImportOptions {
  readonly directory: string
  /** Where it goes; created where it does not exist. */
  readonly repo: Repository
  readonly branch: string
  /** Globs of paths that are left out. */
  readonly exclude: readonly string[]
  readonly message: string
  readonly author: Author
  /** As `getCapabilities` tells them. */
  readonly limits: Pick<Limits, 'maxInlineBytes'>
  /** Tokens of an earlier run. */
  readonly tokens: ResumeFile
  readonly signal: AbortSignal
  /** Called when the directory is listed. */
  readonly onTree: (tree: LocalTree) => void
  readonly onProgress: (progress: TransferProgress) => void
}

/** The outcome of `importDirectory`. */
export interface ImportResult {
  /** The new commit; undefined = the branch was equal to the directory. */
  readonly commit: string | undefined
  readonly files: number
  readonly bytes: number
  readonly changed: number
  readonly removed: number
}

/**
 * Makes the branch equal to the directory. The branch moves when all contents are there, so that a run that ends early
 * leaves it as it was; the next run sends what is missing.
 * @throws CommandError for files that cannot be read
 * @throws BlobwireError `aborted`, reason `ref_mismatch`, where somebody else commits on the branch at the same time
 */
export async function importDirectory(options: ImportOptions): Promise<ImportResult> {
  const { repo, branch, signal } = options
  const tree = await readLocalTree(options.directory, options.exclude)
  options.onTree(tree)
  const objectFormat = await openRepository(repo, signal)
  const there = await readBranch(repo, branch, signal)
  const files = await hash(tree.files, objectFormat, options)
  const { changed, removed } = differencesOf(files, there)
  const bytes = sum(files)
  const result = { files: files.length, bytes, changed: changed.length, removed: removed.length }
  if (there.head !== null && changed.length + removed.length === 0) return { ...result, commit: undefined }
  const progress = {
    phase: 'upload' as const,
    files: files.length - changed.length,
    totalFiles: files.length,
    transferredBytes: bytes - sum(changed),
    totalBytes: bytes,
    bytesPerSecond: 0
  }
  const changes = new Map<Path, Change>(
    removed.map(({ path, rawPath }) => [rawPath?.length ? rawPath : path, null] as const)
  )
  for (const [path, change] of await contents(changed, { objectFormat, there, progress, options })) {
    changes.set(path, change)
  }
  const { oid } = await commit(changes, { there, progress, options })
  options.onProgress({ ...progress, phase: 'commit', files: files.length, transferredBytes: bytes, bytesPerSecond: 0 })
  return { ...result, commit: oid }
}

const sum = (files: readonly LocalFile[]) => files.reduce((total, { size }) => total + size, 0)

async function openRepository(repo: Repository, signal: AbortSignal): Promise<'sha1' | 'sha256'> {
  try {
    return (await repo.getRepository({ signal })).objectFormat
  } catch (error) {
    if (!(error instanceof BlobwireError && error.is('repository'))) throw error
  }
  await repo.createRepository({ signal })
  return 'sha1'
}

async function hash(
  files: readonly LocalFile[],
  objectFormat: 'sha1' | 'sha256',
  { signal, onProgress }: ImportOptions
): Promise<HashedFile[]> {
  const beganMs = performance.now()
  const progress = {
    phase: 'hash' as const,
    files: 0,
    totalFiles: files.length,
    transferredBytes: 0,
    totalBytes: sum(files)
  }
  const tell = () => {
    const seconds = Math.max(performance.now() - beganMs, 1) / 1000
    onProgress({ ...progress, bytesPerSecond: Math.round(progress.transferredBytes / seconds) })
  }
  return hashFiles(files, {
    objectFormat,
    signal,
    onBytes: (count) => {
      progress.transferredBytes += count
      tell()
    },
    onFile: () => {
      progress.files++
      tell()
    }
  })
}

interface Step {
  readonly there: Branch
  /** Grows. */
  readonly progress: { -readonly [Name in keyof TransferProgress]: TransferProgress[Name] }
  readonly options: ImportOptions
}

/** The changes of files. Large ones are uploaded first; those that the branch has elsewhere are named. */
async function contents(
  changed: readonly HashedFile[],
  { objectFormat, there, progress, options }: Step & { readonly objectFormat: 'sha1' | 'sha256' }
): Promise<[Path, Change][]> {
  const { repo, tokens, signal, limits, onProgress } = options
  const stored = new Set([...there.entries.values()].map(({ oid }) => oid))
  const isLarge = ({ size, oid }: HashedFile) => size > limits.maxInlineBytes && !stored.has(oid)
  // The same content is sent once.
  const large = new Set(new Map(changed.filter(isLarge).map((file) => [file.oid, file])).values())
  const notSent = changed.filter((file) => stored.has(file.oid) || (isLarge(file) && !large.has(file)))
  progress.files += notSent.length
  progress.transferredBytes += sum(notSent)
  const rates = new Map<string, number>()
  const sent = await uploadFiles([...large], {
    repo,
    objectFormat,
    tokens,
    signal,
    onProgress: ({ key }, { bytes, files, bytesPerSecond }) => {
      rates.set(key, bytesPerSecond)
      progress.transferredBytes += bytes
      progress.files += files
      progress.bytesPerSecond = [...rates.values()].reduce((total, rate) => total + rate, 0)
      onProgress(progress)
    }
  })
  // A file that has changed since is what it was sent as; others that were equal to it are not.
  for (const { oid } of sent.values()) stored.add(oid)
  return changed.map(({ path, key, mode, oid, content }) => {
    const there = sent.get(key)?.oid ?? (stored.has(oid) ? oid : undefined)
    return [path, there === undefined ? { content, mode } : { oid: there, mode }]
  })
}

async function commit(changes: Map<Path, Change>, { there, progress, options }: Step): Promise<{ oid: string }> {
  const { repo, branch, message, author, signal, onProgress } = options
  const before = { ...progress }
  const input = { branch, changes, message, author, expectedHead: there.head }
  return repo.commitFiles(input, {
    signal,
    onProgress: ({ phase, files, transferredBytes, bytesPerSecond }) =>
      onProgress({
        ...before,
        phase,
        files: Math.min(before.files + files, before.totalFiles),
        transferredBytes: Math.min(before.transferredBytes + transferredBytes, before.totalBytes ?? 0),
        bytesPerSecond
      })
  })
}
