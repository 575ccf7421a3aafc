/** Where this code runs, as far as `fetch` depends on it. */

interface PageGlobals {
  readonly location?: { readonly origin?: string; readonly protocol?: string } | undefined
  readonly navigator?: { readonly onLine?: boolean } | undefined
}

const globals = globalThis as unknown as PageGlobals

/** The location of a page of a browser, or of its worker; undefined in other runtimes. */
export function pageLocation(): { readonly origin: string; readonly protocol: string } | undefined {
  const { origin, protocol } = globals.location ?? {}
  return origin !== undefined && protocol !== undefined ? { origin, protocol } : undefined
}

/** Whether the rules of browsers apply: CORS, and headers that are the browser's own. */
export function isPage(): boolean {
  return pageLocation() !== undefined
}

/** Whether the runtime knows that the machine has no network. */
export function isOffline(): boolean {
  return globals.navigator?.onLine === false
}
