/** Files of the package, in a checkout and in the built package, whose directories differ. */
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file that package.json exports, by the package's own name for it: `blobwire/package.json`. */
export const packageFile = (name: string): string => fileURLToPath(import.meta.resolve(name))

/**
 * The URL of a module beside another one, for threads and processes: `.ts` in a checkout, `.js` in the built package.
 *
 * @param module its name without its extension
 * @param from `import.meta.url` of the other module
 */
export const besideModule = (module: string, from: string): URL => new URL(module + extname(from), from)
