/** `AsyncScopeFunctions` of observing.ts: everything while the function is under way is within. */
import type { AsyncScope } from '../observing.ts'

export function newAsyncScope(): AsyncScope {
  let underWay = 0
  const end = () => {
    underWay--
  }
  return {
    run(work) {
      underWay++
      let result: ReturnType<typeof work>
      try {
        result = work()
      } catch (error) {
        end()
        throw error
      }
      if (result instanceof Promise) result.then(end, end)
      else end()
      return result
    },
    isWithin: () => underWay > 0
  }
}
