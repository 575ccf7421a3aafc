/** The functions of `configuration.ts`, beside those of platform.ts: the environment, and files that configurations name. */
import type { FilePath } from './platform.ts'

/** Errors are those of the runtime. */
export interface ConfigurationFunctions {
  environment(): Readonly<Record<string, string | undefined>>
  /** The path, seen from the file `beside`, or from the current directory. */
  absolutePath(path: FilePath, beside?: string): string
  readText(path: string): Promise<string>
  /** The same without a promise, for small files at the start of a program. */
  readTextNow(path: string): string
}
