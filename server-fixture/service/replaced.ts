/** Calls that began on a repository of which another server has given the name to a new one. */
import { BlobwireError } from '../../src/core/error.ts'
import { RepositoryReplaced } from '../store/store.ts'
import type { Workspace } from './workspace.ts'

/** Whether the error may have this reason. Some refusals depend on the object format, which the new one may not share. */
export function mayBeReplaced(error: unknown): boolean {
  if (!(error instanceof BlobwireError)) return error instanceof RepositoryReplaced
  return error.code === 'invalid_argument' || error.reason === 'revision'
}

/** The repository that work began on. */
type Began = Pick<Workspace, 'store' | 'repository'>

/** Whether an error has this reason: on the new repository, the work may succeed. */
export async function isReplaced({ store, repository }: Began, error: unknown): Promise<boolean> {
  if (error instanceof RepositoryReplaced) return true
  return mayBeReplaced(error) && (await store.isCurrent?.(repository)) === false
}

/** @throws RepositoryReplaced where this is the reason of a failure */
export async function unlessReplaced<Result>(began: Began, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw (await isReplaced(began, error)) ? replacedIn(began) : error
  }
}

export function replacedIn({ repository: { repository } }: Began): RepositoryReplaced {
  return new RepositoryReplaced(repository)
}

/** Does work; anew where its repository was replaced meanwhile. */
export async function again<Result>(work: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof RepositoryReplaced)) throw error
    }
  }
}
