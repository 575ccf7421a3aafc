/** Walks the pages of listings. */
import type { CallOptions } from '../call/call-options.ts'
import { type CalledMethod, forCaller } from '../call/caller.ts'
import { BlobwireError } from '../core/error.ts'
import type { Messages } from '../schema/messages.ts'
import { takeInput, takeOptions } from './call-shapes.ts'
import type { CallMessages } from './interceptor.ts'
import { integrityError } from './verify/tree.ts'

interface Page {
  /** Empty on the last page. */
  readonly nextPageToken: string
}

/**
 * All pages; each is fetched when the one before it has been used. A page may be empty and not the last: the server ends
 * a page that takes long.
 */
async function* allPages<Listing extends Page>(
  fetchPage: (page: { pageToken?: string }) => Promise<Listing>
): AsyncGenerator<Listing, void> {
  let page = await fetchPage({})
  yield page
  while (page.nextPageToken !== '') {
    page = await fetchPage({ pageToken: page.nextPageToken })
    yield page
  }
}

/** Name of a call that lists a page. */
type ListingMethod = 'listCommits' | 'listRefs' | 'compare' | 'listRepositories'

interface Arguments<Input> {
  readonly input: Input
  readonly options: CallOptions | undefined
  /** The method that was called, and the endpoints of its client. */
  readonly called: CalledMethod
}

/** The items of all pages. The arguments are taken over at once; what is wrong with them, the first page fails with. */
export function allItems<Item, Name extends ListingMethod>(
  method: Name,
  { input, options, called }: Arguments<CallMessages[Name]>,
  fetchPage: (
    input: CallMessages[Name],
    options: CallOptions | undefined
  ) => Promise<Page & { readonly items: readonly Item[] }>
): AsyncGenerator<Item, void> {
  try {
    const own = takeInput(method, input)
    const ownOptions = options && takeOptions(method, options)
    const page = own.pageSize === undefined ? growing(fetchPage) : fetchPage
    return eachItem(called, (next) => page({ ...own, ...next }, ownOptions))
  } catch (error) {
    return eachItem(called, () => Promise.reject(error))
  }
}

/** Most items of a page that an iterator asks for; the server has a limit of its own. */
const maxPageSize = 10_000

/** Each page is asked for with four times the items of the largest so far: who has read so many is likely to go on. */
function growing<Input extends object, Listing extends { readonly items: readonly unknown[] }>(
  fetchPage: (input: Input, options: CallOptions | undefined) => Promise<Listing>
): (input: Input, options: CallOptions | undefined) => Promise<Listing> {
  let pageSize: number | undefined
  return async (input, options) => {
    const page = await fetchPage(pageSize === undefined ? input : { ...input, pageSize }, options)
    pageSize = Math.min(maxPageSize, Math.max(pageSize ?? 1, 4 * page.items.length))
    return page
  }
}

async function* eachItem<Item>(
  called: CalledMethod,
  fetchPage: (page: { pageToken?: string }) => Promise<Page & { readonly items: readonly Item[] }>
): AsyncGenerator<Item, void> {
  try {
    for await (const { items } of allPages(fetchPage)) yield* items
  } catch (error) {
    if (!(error instanceof BlobwireError)) throw error
    const { method, endpoint } = called
    throw forCaller(error, { method, endpoint: error.endpoint ?? endpoint }, { below: eachItem })
  }
}

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
