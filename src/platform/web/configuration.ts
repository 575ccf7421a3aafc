/** `ConfigurationFunctions` of configuration-functions.ts: the environment where the runtime has one, and no files. */
import type { FilePath } from '../platform.ts'
import { refuse, refuseFiles } from './refuse.ts'

type Environment = Readonly<Record<string, string | undefined>>

const instead = 'give what is in the file'

export function environment(): Environment {
  return (globalThis as { readonly process?: { readonly env?: Environment } }).process?.env ?? {}
}

export function absolutePath(path: FilePath): string {
  return typeof path === 'string' ? path : path.href
}

export const readText = (): Promise<never> => refuseFiles(instead)
export const readTextNow = (): never => refuse(`the client reads files only on Node; ${instead}`)
