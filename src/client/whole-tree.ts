import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'

type Listing = Messages['GetTreeResponse']

/** As many as the server allows: a whole tree is wanted anyway. */
const pageSize = 10_000

/**
 * All pages of a listing as one. `pages` of more than one means that only the whole can be verified.
 * @throws BlobwireError `data_loss` if a later page is of another tree
 */
export async function wholeTree(
  fetchPage: (page: { pageSize: number; pageToken?: string }) => Promise<Listing>
): Promise<Listing & { pages: number }> {
  const first = await fetchPage({ pageSize })
  const entries = [...first.entries]
  let { nextPageToken } = first
  let pages = 1
  while (nextPageToken !== '') {
    const page = await fetchPage({ pageSize, pageToken: nextPageToken })
    if (page.oid !== first.oid || (page.entries.length === 0 && page.nextPageToken !== '')) {
      const message = `tree ${first.oid}: a later page is empty or belongs to another tree`
      throw new BlobwireError({ code: 'data_loss', reason: 'integrity', message, sent: 'processed', attempts: 1 })
    }
    for (const entry of page.entries) entries.push(entry)
    nextPageToken = page.nextPageToken
    pages++
  }
  return { oid: first.oid, entries, nextPageToken: '', pages }
}
