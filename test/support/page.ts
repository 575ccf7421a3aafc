/** The globals of a page of a browser, as far as the client looks at them. */

/** The `fetch` that answers tests of pages where they have none of their own. */
export const fetchOfNode = fetch

/** Runs the test as in a page of a browser, and with its `fetch`. */
export async function inPage(
  page: { origin: string; onLine?: boolean },
  run: () => Promise<void>,
  send = fetch
): Promise<void> {
  const before = { fetch, location: undefined, navigator: Object.getOwnPropertyDescriptor(globalThis, 'navigator') }
  const { origin, onLine = true } = page
  Object.assign(globalThis, { fetch: send, location: { origin, protocol: `${new URL(origin).protocol}` } })
  Object.defineProperty(globalThis, 'navigator', { value: { onLine }, configurable: true })
  try {
    await run()
  } finally {
    Object.assign(globalThis, { fetch: before.fetch, location: before.location })
    if (before.navigator) Object.defineProperty(globalThis, 'navigator', before.navigator)
  }
}
