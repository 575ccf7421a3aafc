/** One page of anything. */
export interface Page<Item> {
  readonly items: readonly Item[]
  /** Empty on the last page. */
  readonly nextPageToken: string
}

/** Walks all pages; the next one is fetched when the one before has been used up. */
export async function* allItems<Item>(
  fetchPage: (page: { pageToken?: string }) => Promise<Page<Item>>
): AsyncGenerator<Item, void> {
  let page = await fetchPage({})
  yield* page.items
  while (page.nextPageToken !== '') {
    page = await fetchPage({ pageToken: page.nextPageToken })
    yield* page.items
  }
}
