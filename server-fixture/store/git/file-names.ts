/**
 * Names that a file system holds equal, as those of macOS and Windows do by default: in another case, in another form of
 * Unicode, with dots at their end. Two names are never made one: the later one is refused, and a name under which only
 * another one is found is not there.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './fsync.ts'

/** How the file system of a directory takes names. */
export interface FileNames {
  /** Different names may be one file. */
  readonly folds: boolean
  /** Some names are devices, or lose their last character. */
  readonly isWindows: boolean
}

/** Each name is a file of its own. */
export const exactNames: FileNames = { folds: false, isWindows: false }

/** Asks the file system, by a file in the directory whose name has letters. */
export async function fileNamesOf(directory: string, file: string): Promise<FileNames> {
  const isWindows = process.platform === 'win32'
  // Unicode in two forms is one name on macOS even where its case matters.
  return { folds: isWindows || process.platform === 'darwin' || (await ignoresCase(directory, file)), isWindows }
}

async function ignoresCase(directory: string, file: string): Promise<boolean> {
  const [own, other] = await Promise.all(
    [file, file.toUpperCase()].map((name) => stat(join(directory, name)).catch(() => undefined))
  )
  return own !== undefined && other?.ino === own.ino
}

/** Code points that HFS+ leaves out (Git's utf8.c, `next_hfs_char`). */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** Equal for all names that some file system holds equal. */
export function folded(name: string): string {
  const segments = name.replaceAll(ignorable, '').normalize('NFD').split('/')
  return segments
    .map((segment) =>
      segment
        .replace(/[. ]+$/, '')
        .toUpperCase()
        .toLowerCase()
    )
    .join('/')
}

const device = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|$)/i

/** Why Windows has no file of this name; undefined = it has. Source: Microsoft, "Naming Files, Paths, and Namespaces". */
export function windowsProblem(name: string): string | undefined {
  for (const segment of name.split('/')) {
    if (device.test(segment)) return `${JSON.stringify(segment)} is a device on Windows`
    if (/[. ]$/.test(segment)) return `${JSON.stringify(segment)} ends with a character that Windows leaves out`
  }
  return undefined
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return []
    throw error
  }
}

/** Whether a path below the directory is there in exactly these letters. */
export async function isSpelledSo(directory: string, path: string): Promise<boolean> {
  let below = directory
  for (const segment of path.split('/')) {
    if (!(await namesIn(below)).includes(segment)) return false
    below = join(below, segment)
  }
  return true
}

/** The path that is there, and in the way of another; undefined = none is. */
export async function pathInTheWay(directory: string, path: string): Promise<string | undefined> {
  let below = ''
  for (const segment of path.split('/')) {
    const names = await namesIn(join(directory, below))
    if (names.includes(segment)) {
      below = `${below}${segment}/`
      continue
    }
    const equal = names.find((name) => folded(name) === folded(segment))
    return equal === undefined ? undefined : below + equal
  }
  return undefined
}

/** The names of refs of a repository, and their directories, by which the file system finds them. */
export class FoldedNames {
  readonly #names = new Map<string, string>()

  constructor(names: Iterable<string>) {
    for (const name of names) this.add(name)
  }

  add(name: string): void {
    for (const part of partsOf(name)) this.#names.set(folded(part), part)
  }

  /** The name, or the directory, that is in the way; undefined = none is. */
  inTheWayOf(name: string): string | undefined {
    for (const part of partsOf(name)) {
      const found = this.#names.get(folded(part))
      if (found !== undefined && found !== part) return found
    }
    return undefined
  }
}

/** `a/b/c`: `a`, `a/b` and `a/b/c`. */
function partsOf(name: string): string[] {
  const segments = name.split('/')
  return segments.map((_segment, index) => segments.slice(0, index + 1).join('/'))
}
