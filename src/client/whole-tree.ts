/** Pages of listings, and those of a tree as one. */
import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { integrityError } from './verify/integrity.ts'

export interface Page {
  /** Empty on the last page. */
  readonly nextPageToken: string
}

/**
 * All pages; each is fetched when the one before it has been used. A page may be empty and not the last: the server ends
 * a page that takes long.
 */
export async function* allPages<Listing extends Page>(
  fetchPage: (page: { pageToken?: string }) => Promise<Listing>
): AsyncGenerator<Listing, void> {
  let page = await fetchPage({})
  yield page
  while (page.nextPageToken !== '') {
    page = await fetchPage({ pageToken: page.nextPageToken })
    yield page
  }
}

/** Most items of a page that an iterator asks for; the server has a limit of its own. */
export const maxPageSize = 10_000

type Listing = Messages['GetTreeResponse']

/**
 * Most entries of a recursive listing, which take some 300 MB: eleven tree objects can hold 10^10 paths. One directory has as
 * many entries as its object.
 */
const maxEntries = 1_000_000

/**
 * All pages of a tree's listing as one. Of a listing of several `pages`, only the whole can be verified.
 * @throws BlobwireError `data_loss` if a later page is of another tree; `resource_exhausted` for more than `most` entries
 */
export async function wholeTree(
  fetchPage: (page: { pageSize: number; pageToken?: string }) => Promise<Listing>,
  most = maxEntries
): Promise<Listing & { pages: number }> {
  const tree = { oid: '', entries: [] as Listing['entries'], nextPageToken: '', pages: 0 }
  for await (const page of allPages((next) => fetchPage({ pageSize: maxPageSize, ...next }))) {
    if (tree.pages++ === 0) tree.oid = page.oid
    else if (page.oid !== tree.oid) throw integrityError(`tree ${tree.oid}: a later page belongs to another tree`)
    for (const entry of page.entries) tree.entries.push(entry)
    if (tree.entries.length > most) throw tooManyEntries(tree.oid, most)
  }
  return tree
}

function tooManyEntries(oid: string, most: number): BlobwireError {
  const message = `tree ${oid} has more than ${most.toLocaleString('en')} entries; list its directories one by one (path)`
  return new BlobwireError({ code: 'resource_exhausted', message, retryable: false, sent: 'processed' })
}
