/** In the place of `client/running-watch.ts`: watches are loaded with the first one. */
import type * as Replaced from '../running-watch.ts'

export const follow: typeof Replaced.follow = async function* (...given) {
  const watches = await import('../running-watch.ts')
  yield* watches.follow(...given)
}
