/** Walks the pages of listings. */
import type { CallOptions } from '../call/call-options.ts'
import { type CalledMethod, forCaller } from '../call/caller.ts'
import { BlobwireError } from '../core/error.ts'
import { takeInput, takeOptions } from './call-shapes.ts'
import type { CallMessages } from './interceptor.ts'
import { allPages, maxPageSize, type Page } from './whole-tree.ts'

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
