/** In the place of `client/paging.ts`: loaded when a listing is walked. */
import type * as Replaced from '../paging.ts'
import { loadOthers } from './other-operations.ts'
import { snapshot } from './snapshot.ts'

export const allItems: typeof Replaced.allItems = (method, { called, ...given }, fetchPage) =>
  walk(method, { ...snapshot(given), called }, fetchPage)

const walk: typeof Replaced.allItems = async function* (...given) {
  await loadOthers()
  const paging = await import('../paging.ts')
  yield* paging.allItems(...given)
}
