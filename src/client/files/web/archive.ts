/** In the place of `client/files/archive.ts`: archives are loaded when one is made. */
import type * as Replaced from '../archive.ts'

export const archive: typeof Replaced.archive = async function* (...given) {
  const archives = await import('../archive.ts')
  yield* archives.archive(...given)
}
