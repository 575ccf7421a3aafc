/** In the place of `client/files/read-files.ts`: loaded when files are read. */
import type * as Replaced from '../read-files.ts'

export const readFiles: typeof Replaced.readFiles = async function* (...given) {
  const files = await import('../read-files.ts')
  yield* files.readFiles(...given)
}
