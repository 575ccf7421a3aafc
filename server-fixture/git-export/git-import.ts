/** Imports a repository of Git into a store. */
import { BlobwireError } from '../../src/core/error.ts'
import type { RepositoryInfo } from '../store/store.ts'
import { type ImportTarget, importObjects } from './import-objects.ts'
import { type ImportRefsOptions, importRefs, type LeftRef } from './import-refs.ts'
import { listObjects, openSource } from './source-repository.ts'
import { listAllRefs } from './store-refs.ts'

/** Options of `importRepository`. */
export interface ImportOptions extends ImportRefsOptions {
  /**
   * Program that runs as `git`.
   *
   * @default 'git'
   */
  readonly gitProgram?: string
}

/** What an import did. */
export interface Imported {
  /** Objects that were stored. */
  readonly objects: number
  /** Refs that were made, moved or deleted. */
  readonly refs: number
  readonly left: readonly LeftRef[]
}

/**
 * Moves all objects that the refs of a repository of Git reach into the store, and then its refs. The repository of the
 * store is created where there is none, with the default branch of the other. The import can be repeated, and goes on where
 * it was interrupted. Objects are checked by their oids.
 *
 * @throws BlobwireError `invalid_argument` where the directory is no repository; `failed_precondition`, reason
 *   `unsupported_repository`, for one that is shallow, or of another format than the one in the store; `data_loss`, reason
 *   `integrity`, for a damaged one
 */
export async function importRepository(
  directory: string,
  target: ImportTarget,
  { gitProgram = 'git', ...options }: ImportOptions = {}
): Promise<Imported> {
  const { store, repository } = target
  const source = await openSource(directory, gitProgram)
  const { defaultBranch } = source
  const checkFormat = ({ objectFormat }: RepositoryInfo) => {
    if (objectFormat === source.format) return
    const message = `repository ${repository} has the object format ${objectFormat}, and ${directory} has ${source.format}`
    throw new BlobwireError({ reason: 'unsupported_repository', message })
  }
  const present = await store.getRepository(repository)
  if (present) checkFormat(present)
  const refs = present ? (await listAllRefs(store, repository)).refs : new Map<string, string>()
  // A repository that lacks objects is refused before anything is made.
  const lists = await listObjects(source, [...new Set(refs.values())])
  checkFormat((await store.createRepository(repository, source.format, { defaultBranch })).info)
  const objects = await importObjects(source, target, lists)
  const { moved, left } = await importRefs(source, { ...target, refs }, options)
  return { objects, refs: moved, left }
}
