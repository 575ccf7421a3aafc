/** The number of the data directory's format, which a server that is too old for it refuses. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../../src/core/error.ts'
import { isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'

/**
 * 1: repositories alone, without this file. 2: with a journal of request keys, and an id in each repository. 3: the journal
 * has an event for each move of refs: a server that writes none would hide its moves from those who follow a repository.
 */
const currentFormat = 3
/** Begins with `~`, as no repository may. */
export const formatName = '~format'

/** Names of files and directories of the data directory that are neither repositories nor temporary. */
export const journalName = '~requests'
/** A server that knows no uploads removes this directory at its start. */
export const uploadsName = '~uploads'
export const keptNames: ReadonlySet<string> = new Set([formatName, journalName, uploadsName])

/**
 * Reads the format of a data directory, and writes the present one into a directory of an earlier format.
 *
 * @throws BlobwireError `data_format` where the format is newer than this server, or not readable
 */
export async function openDataFormat(directory: string): Promise<void> {
  const path = join(directory, formatName)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (!isMissing(error)) throw storageFailure('reading the format of the data directory', error)
    return await writeFormat(path)
  }
  const format = parseFormat(text)
  if (format === currentFormat) return
  if (format !== undefined && format < currentFormat) return await writeFormat(path)
  const found = format === undefined ? `the file ${formatName} is not readable` : `its format is ${format}`
  throw new BlobwireError({
    reason: 'data_format',
    message: `the data directory ${directory} cannot be opened: ${found}; this server reads formats up to ${currentFormat}; use the version that wrote it, or a later one`
  })
}

async function writeFormat(path: string): Promise<void> {
  const temporary = `${path}.new`
  try {
    await writeFile(temporary, `${JSON.stringify({ format: currentFormat })}\n`, { flush: true })
    // The journal, which is opened next, syncs the directory.
    await rename(temporary, path)
  } catch (error) {
    throw storageFailure('writing the format of the data directory', error)
  }
}

function parseFormat(text: string): number | undefined {
  try {
    const { format } = JSON.parse(text) as { format?: unknown }
    return typeof format === 'number' && format >= 1 ? format : undefined
  } catch {
    return undefined
  }
}
