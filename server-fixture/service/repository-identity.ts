/** Under which repository caches keep what they have. */
import type { RepositoryInfo } from '../store/store.ts'

/** Tells a repository from those that had its name before and, where any server may delete it, from those that follow. */
export function identityOf({ repository, incarnation }: RepositoryInfo): string {
  return incarnation ?? repository
}

/** The key of an object; neither part holds a line feed. */
export const keyOf = (repository: RepositoryInfo, oid: string) => `${identityOf(repository)}\n${oid}`
