/** `AsyncScopeFunctions` of platform.ts on Node. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { AsyncScope } from './platform.ts'

export function newAsyncScope(): AsyncScope {
  const storage = new AsyncLocalStorage<true>()
  return { run: (work) => storage.run(true, work), isWithin: () => storage.getStore() === true }
}
