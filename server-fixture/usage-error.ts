/** Flags that cannot be used. */
import { readFile } from 'node:fs/promises'

/** A flag that cannot be used; the message names it and says why. */
export class UsageError extends Error {}

/** Reads the file that a flag names. @throws UsageError */
export const readFlagFile = (name: string, file: string) => readNamedFile(`--${name}`, file)

/** Reads the file that a flag or a variable names. @throws UsageError */
export async function readNamedFile(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new UsageError(`${name} ${JSON.stringify(file)}: ${(error as Error).message}`)
  }
}
