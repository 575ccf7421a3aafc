/** Rules that every store follows: pages of names, and errors for missing repositories and closed stores. */
import { BlobwireError } from '../../src/core/error.ts'
import { bytesOfName } from './ref-bytes.ts'
import type { PageRequest } from './store.ts'

/** The order of UTF-8 bytes, in which Git sorts refs: JavaScript's own order differs above U+D7FF. */
export function compareNames(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const [one, other] = [left.charCodeAt(at), right.charCodeAt(at)]
    if (one === other) continue
    // A byte that is no part of a character; see `ref-bytes.ts`.
    if (isEscape(left, at) || isEscape(right, at)) return Buffer.compare(bytesOfName(left), bytesOfName(right))
    return inByteOrder(one) - inByteOrder(other)
  }
  return left.length - right.length
}

/** Whether a low surrogate has no high one before it. */
function isEscape(name: string, at: number): boolean {
  if (name.charCodeAt(at) >> 10 !== 0x37) return false
  return at === 0 || name.charCodeAt(at - 1) >> 10 !== 0x36
}

/** Surrogates stand for the characters above all others. */
const inByteOrder = (unit: number) => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)

/** The names of a page, of names in their order. */
export function pageOfNames(sorted: readonly string[], { prefix, after, limit }: PageRequest): string[] {
  const start = Math.max(firstFrom(sorted, prefix), after === '' ? 0 : firstFrom(sorted, after))
  const from = sorted[start] === after && after !== '' ? start + 1 : start
  const page: string[] = []
  for (let at = from; at < sorted.length && page.length < limit; at++) {
    const name = sorted[at] as string
    if (!name.startsWith(prefix)) break
    page.push(name)
  }
  return page
}

/** The index of the first name that does not come before this one. */
function firstFrom(sorted: readonly string[], name: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareNames(sorted[middle] as string, name) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** The keys of a map in their order; they are sorted when they are listed for the first time after a change. */
export class SortedNames {
  readonly #names: Pick<ReadonlyMap<string, unknown>, 'keys'>
  #sorted: readonly string[] | undefined

  constructor(names: Pick<ReadonlyMap<string, unknown>, 'keys'>) {
    this.#names = names
  }

  /** A name was added or removed. */
  changed(): void {
    this.#sorted = undefined
  }

  page(request: PageRequest): string[] {
    this.#sorted ??= [...this.#names.keys()].sort(compareNames)
    return pageOfNames(this.#sorted, request)
  }
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
