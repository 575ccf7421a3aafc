/** Reads refs from Git's own files, without a git process. */
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { linesOf, pathOfName, textOfName } from '../ref-bytes.ts'
import { exactNames, isSpelledSo } from './file-names.ts'
import { isMissing } from './fsync.ts'

/** Git follows symbolic refs this far (SYMREF_MAXDEPTH). */
const maxSymbolicDepth = 5

interface PackedRefs {
  readonly version: string
  readonly oids: ReadonlyMap<string, string>
}

/** Where the symbolic refs from a name lead. */
export interface ResolvedRef {
  /** The last name, whether there is such a ref or not. */
  readonly name: string
  /** Undefined = no such ref, or one whose file holds no oid. */
  readonly oid: string | undefined
}

/**
 * Reads single refs from Git's files: a ref's own file first, then `packed-refs`, which is the order in which
 * `git pack-refs` moves them the other way. Source: gitrepository-layout(5), "refs" and "packed-refs". A git process
 * for each read costs 2-3 ms; `cat-file` takes names as revisions, and would find other objects under a missing name.
 */
export class RefFiles {
  readonly #gitDir: string
  readonly #folds: boolean
  #packed: PackedRefs | undefined
  /** Symbolic refs that were read, with the refs that they led to. */
  readonly #symbolic = new Map<string, string>()

  constructor(gitDir: string, { folds } = exactNames) {
    this.#gitDir = gitDir
    this.#folds = folds
  }

  /** The oid of a ref, by its full name; undefined = no such ref. */
  async read(name: string): Promise<string | undefined> {
    return isInside(name) ? (await this.resolve(name)).oid : undefined
  }

  /** The ref that a symbolic ref led to when it was last read; of others, the ref itself. */
  targetOf(name: string): string {
    return this.#symbolic.get(name) ?? name
  }

  /** Follows the symbolic refs from a full name, or from HEAD. */
  async resolve(name: string): Promise<ResolvedRef> {
    const found = await this.#resolve(name)
    if (found.name !== name) this.#symbolic.set(name, found.name)
    else if (this.#symbolic.size > 0) this.#symbolic.delete(name)
    return found
  }

  async #resolve(name: string): Promise<ResolvedRef> {
    let target = name
    for (let depth = 0; depth <= maxSymbolicDepth; depth++) {
      if (!isInside(target) && target !== 'HEAD') break
      const text = await this.#readLoose(target)
      if (text === undefined) return { name: target, oid: (await this.#readPacked()).get(target) }
      if (!text.startsWith('ref:')) return { name: target, oid: oidIn(text) }
      target = text.slice(4).trim()
    }
    return { name: target, oid: undefined }
  }

  /** The ref that a symbolic ref, or HEAD, names; undefined = it is none. */
  async symbolicTarget(name: string): Promise<string | undefined> {
    const text = await this.#readLoose(name)
    return text?.startsWith('ref:') ? text.slice(4).trim() : undefined
  }

  /** Names of branches that there are, at most `limit`, in no order. */
  async someBranches(limit: number): Promise<string[]> {
    const names = new Set<string>()
    const add = async (name: string) => {
      if (names.size < limit && !names.has(name) && (await this.read(name)) !== undefined) names.add(name)
    }
    for (const name of (await this.#readPacked()).keys()) if (name.startsWith('refs/heads/')) await add(name)
    const visit = async (directory: string): Promise<void> => {
      for (const entry of await entriesIn(join(this.#gitDir, directory))) {
        if (names.size >= limit) return
        const name = `${directory}/${entry.name}`
        if (entry.isDirectory()) await visit(name)
        else if (!name.endsWith('.lock')) await add(name)
      }
    }
    await visit('refs/heads')
    return [...names]
  }

  async #readLoose(name: string): Promise<string | undefined> {
    const path = join(this.#gitDir, name)
    const found = await readIfThere(path)
    const bytes = found && this.#folds && !(await isSpelledSo(this.#gitDir, name)) ? undefined : found
    const text = bytes && textOfName(bytes).trim()
    // Early versions of Git made HEAD a symbolic link (git-config(1), "core.preferSymlinkRefs").
    if (name === 'HEAD' && !text?.startsWith('ref:')) {
      const link = await readlink(path).catch(() => undefined)
      if (link?.startsWith('refs/')) return `ref: ${link}`
    }
    return text
  }

  /** Reads the file again only when Git has replaced it. */
  async #readPacked(): Promise<ReadonlyMap<string, string>> {
    const path = join(this.#gitDir, 'packed-refs')
    const version = await versionOf(path)
    if (this.#packed?.version !== version) {
      this.#packed = { version, oids: parsePackedRefs((await readIfThere(path)) ?? Buffer.alloc(0)) }
    }
    return this.#packed.oids
  }
}

/** As Git reads it: in either case of hex, and followed by nothing or white space. The zero oid is none. */
function oidIn(text: string): string | undefined {
  const oid = /^(?:[0-9a-f]{40}|[0-9a-f]{64})(?!\S)/i.exec(text)?.[0].toLowerCase()
  return oid === undefined || /^0+$/.test(oid) ? undefined : oid
}

function isInside(name: string): boolean {
  return name.startsWith('refs/') && !name.includes('\0') && !name.split('/').includes('..')
}

async function entriesIn(directory: string) {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Tells a file from the one that replaces it; empty = there is none. */
export async function versionOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true })
    return `${ino} ${size} ${mtimeNs}`
  } catch (error) {
    if (isMissing(error)) return ''
    throw error
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(pathOfName(path))
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'EISDIR') return undefined
    throw error
  }
}

/** Lines of `<oid> <name>`; `#` begins a comment, `^` the object that the tag before points to. */
function parsePackedRefs(bytes: Buffer): Map<string, string> {
  const oids = new Map<string, string>()
  for (const line of linesOf(bytes)) {
    const space = line.indexOf(' ')
    if (space > 0 && line[0] !== '#') oids.set(line.slice(space + 1), line.slice(0, space))
  }
  return oids
}
