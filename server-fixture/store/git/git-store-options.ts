/** The options of the Git store. */
import type { FileNames } from './file-names.ts'
import type { GitRepositoryOptions } from './git-repository.ts'

/** How a `GitStore` works; every option has a default. */
export interface GitStoreOptions extends Partial<GitRepositoryOptions> {
  /**
   * The git program, 2.36 or newer: a name looked up in PATH, or a path.
   * @default 'git'
   */
  readonly program?: string
  /**
   * Repositories kept open, with up to two git processes each; the least recently used is closed first.
   * @default 64
   */
  readonly maxOpenRepositories?: number
  /**
   * How the file system of the data directory takes names.
   * @default the file system is asked
   */
  readonly fileNames?: FileNames | undefined
  /**
   * Called when the packs of a repository could not be joined. It is tried again later; stored objects are safe.
   * @default does nothing
   */
  readonly onHousekeepingFailure?: (repository: string, error: unknown) => void
}

/** The options with their defaults. */
export type ResolvedStoreOptions = Required<Omit<GitStoreOptions, 'fileNames'>> & Pick<GitStoreOptions, 'fileNames'>

export const defaultStoreOptions: ResolvedStoreOptions = {
  program: 'git',
  maxOpenRepositories: 64,
  housekeeping: true,
  maxPacks: 50,
  repackPauseMs: 1000,
  repackQuietMs: 2000,
  gracePeriodHours: 336,
  packsInFlight: 1,
  onHousekeepingFailure: () => undefined
}
