/** Lists the files of a tree: all of them or those that a pattern chooses, in the tree's order. */
import type { CallOptions } from '../../call/call-options.ts'
import type { Mode } from '../../git/mode.ts'
import { binaryPath } from '../../git/raw-path.ts'
import type { TreeEntry } from '../../schema/messages.ts'
import type { RepositoryCalls } from '../calls.ts'
import type { GlobPattern } from './inputs.ts'

/** An entry of a listing that is no directory. */
export interface ListedFile {
  /** As a binary string, one character for each byte. */
  readonly path: string
  readonly mode: Mode
  readonly oid: string
}

/** The files of a tree. */
export interface FileList {
  /** Oid of the tree. */
  readonly oid: string
  readonly files: readonly ListedFile[]
}

/** Reads the whole listing, so that it is verified before anything is done with it. @throws BlobwireError */
export async function listFiles(
  calls: RepositoryCalls,
  { revision, path, glob }: { revision: string; path: string | Uint8Array; glob?: GlobPattern | undefined },
  options: CallOptions
): Promise<FileList> {
  const isChosen = glob === undefined ? undefined : await matcher(glob)
  const { oid, entries } = await calls.compose('getTree', { revision, path, recursive: true }, options)
  const files: ListedFile[] = []
  for (const entry of entries) {
    if (entry.mode === '040000' || isChosen?.(entry.path) === false) continue
    files.push({ path: binaryPath(entry), mode: modeOf(entry), oid: entry.oid })
  }
  return { oid, files }
}

const modeOf = ({ mode }: TreeEntry) => mode as Mode

/** Loaded when it is needed: most programs choose no files. */
async function matcher(glob: GlobPattern): Promise<(path: string) => boolean> {
  const { default: picomatch } = await import('picomatch')
  return picomatch(glob as string | string[], { dot: true, nonegate: true })
}
