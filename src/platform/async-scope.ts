/** `AsyncScopeFunctions` of observing.ts on Node. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { AsyncScope } from './observing.ts'

export function newAsyncScope(): AsyncScope {
  const storage = new AsyncLocalStorage<true>()
  return { run: (work) => storage.run(true, work), isWithin: () => storage.getStore() === true }
}
