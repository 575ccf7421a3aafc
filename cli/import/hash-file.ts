/** The oid of a file, without holding it in memory. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { blobOid, type ObjectFormat } from '../../src/index.ts'
import { CommandError } from '../errors.ts'
import type { LocalFile } from './local-tree.ts'

/** How a file is hashed. */
export interface HashOptions {
  readonly objectFormat: ObjectFormat
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

/** The oid that Git gives the file; undefined = it has become longer or shorter. @throws CommandError */
export async function hashFile(
  { disk, content, size }: LocalFile,
  { objectFormat, signal, onBytes }: HashOptions
): Promise<string | undefined> {
  if (disk === undefined) return blobOid(content as Uint8Array, { objectFormat })
  const hash = createHash(objectFormat).update(`blob ${size}\0`)
  let count = 0
  try {
    for await (const chunk of createReadStream(disk, { signal, highWaterMark: 256 * 1024 })) {
      hash.update(chunk as Buffer)
      count += (chunk as Buffer).length
      onBytes((chunk as Buffer).length)
    }
  } catch (error) {
    if (signal.aborted) throw error
    throw new CommandError(`${disk} cannot be read: ${(error as Error).message}`, { cause: error })
  }
  return count === size ? hash.digest('hex') : undefined
}
