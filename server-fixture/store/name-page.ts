/** Rules that every store follows: pages of names, and errors for missing repositories and closed stores. */
import { BlobwireError } from '../../src/core/error.ts'
import type { PageRequest } from './store.ts'

/** The names of a page, sorted by their UTF-8 bytes as Git sorts refs: JavaScript's own order differs above U+FFFF. */
export function pageOfNames(names: Iterable<string>, page: PageRequest): string[] {
  const after = Buffer.from(page.after)
  return [...names]
    .filter((name) => name.startsWith(page.prefix))
    .map((name) => ({ name, bytes: Buffer.from(name) }))
    .filter(({ bytes }) => page.after === '' || Buffer.compare(bytes, after) > 0)
    .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
    .slice(0, page.limit)
    .map(({ name }) => name)
}

/** The error of every method for a missing repository. */
export function repositoryNotFound(repository: string): BlobwireError {
  return new BlobwireError({
    reason: 'repository',
    message: `repository ${JSON.stringify(repository)} not found`
  })
}

/** The error of every method once the store is closed. */
export function storeClosed(): BlobwireError {
  return new BlobwireError({ reason: 'store_closed', message: 'the store is closed' })
}
