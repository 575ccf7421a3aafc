/** Reads refs from Git's own files, without a git process. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isOid } from '../../../src/git/oid.ts'
import { isMissing } from './fsync.ts'

/** Git follows symbolic refs this far (SYMREF_MAXDEPTH). */
const maxSymbolicDepth = 5

interface PackedRefs {
  readonly version: string
  readonly oids: ReadonlyMap<string, string>
}

/**
 * Reads single refs from Git's files: a ref's own file first, then `packed-refs`, which is the order in which
 * `git pack-refs` moves them the other way. Source: gitrepository-layout(5), "refs" and "packed-refs". A git process
 * for each read costs 2-3 ms; `cat-file` takes names as revisions, and would find other objects under a missing name.
 */
export class RefFiles {
  readonly #gitDir: string
  #packed: PackedRefs | undefined

  constructor(gitDir: string) {
    this.#gitDir = gitDir
  }

  /** The oid of a ref, by its full name; undefined = no such ref. */
  async read(name: string): Promise<string | undefined> {
    let target = name
    for (let depth = 0; depth <= maxSymbolicDepth; depth++) {
      if (!isInside(target)) return undefined
      const text = (await readIfThere(join(this.#gitDir, target)))?.trim()
      if (text === undefined) return (await this.#readPacked()).get(target)
      if (isOid(text)) return text
      if (!text.startsWith('ref:')) return undefined
      target = text.slice(4).trim()
    }
    return undefined
  }

  /** Reads the file again only when Git has replaced it. */
  async #readPacked(): Promise<ReadonlyMap<string, string>> {
    const path = join(this.#gitDir, 'packed-refs')
    const version = await versionOf(path)
    if (this.#packed?.version !== version) {
      this.#packed = { version, oids: parsePackedRefs((await readIfThere(path)) ?? '') }
    }
    return this.#packed.oids
  }
}

function isInside(name: string): boolean {
  return name.startsWith('refs/') && !name.includes('\0') && !name.split('/').includes('..')
}

async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
    throw error
  }
}

/** Lines of `<oid> <name>`; `#` begins a comment, `^` the object that the tag before points to. */
function parsePackedRefs(text: string): Map<string, string> {
  const oids = new Map<string, string>()
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ')
    if (space > 0 && line[0] !== '#') oids.set(line.slice(space + 1), line.slice(0, space))
  }
  return oids
}
