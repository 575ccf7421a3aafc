/** Lists the packs of a repository that the server may join, and chooses those that it joins. */
import { open, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './fsync.ts'
import { keepMark } from './incoming-directory.ts'

/** A pack with its index. */
export interface Pack {
  /** Without `.pack` and `.idx`. */
  readonly name: string
  readonly objects: number
  /** Of the file. */
  readonly bytes: number
  readonly changedAtMs: number
  /** It has a `.keep` file of the server. */
  readonly isKept: boolean
}

/** Packs with one of these are left alone: of partial clones, and of objects that Git itself is about to expire. */
const foreignExtensions = ['promisor', 'mtimes']
/** Where an index of version 2 tells the number of objects: the last of 256 numbers behind 8 bytes (gitformat-pack(5)). */
const countPosition = 8 + 255 * 4
/** A pack of so much, in large objects, stays as it is: to write it once more costs more than a pack less gains. */
const largePackBytes = 32 * 1024 * 1024
const largeObjectBytes = 512 * 1024

/** Reads the list; numbers of objects, which never change, are read once. */
export class PackList {
  readonly #path: string
  #counts = new Map<string, number>()

  /** @param path the directory of packs */
  constructor(path: string) {
    this.#path = path
  }

  /** The packs that may be joined: not those that somebody else keeps. */
  async read(): Promise<Pack[]> {
    const files = new Set(await readdir(this.#path))
    const names = [...files].filter((file) => file.endsWith('.idx')).map((file) => file.slice(0, -4))
    const own = names.filter((name) => !foreignExtensions.some((extension) => files.has(`${name}.${extension}`)))
    const packs = await Promise.all(own.map((name) => this.#readPack(name, files.has(`${name}.keep`))))
    const found = packs.filter((pack) => pack !== undefined)
    this.#counts = new Map(found.map(({ name, objects }) => [name, objects]))
    return found
  }

  /** Undefined = somebody else keeps it, or it has gone meanwhile. */
  async #readPack(name: string, hasKeep: boolean): Promise<Pack | undefined> {
    const path = join(this.#path, name)
    try {
      if (hasKeep && (await readFile(`${path}.keep`, 'utf8')) !== keepMark) return undefined
      const objects = this.#counts.get(name) ?? (await readCount(`${path}.idx`))
      const { mtimeMs, size } = await stat(`${path}.pack`)
      return { name, objects, bytes: size, changedAtMs: mtimeMs, isKept: hasKeep }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }
}

async function readCount(path: string): Promise<number> {
  const handle = await open(path, 'r')
  try {
    const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, countPosition)
    return buffer.readUInt32BE()
  } finally {
    await handle.close()
  }
}

/**
 * The smallest packs, so many that each of the others has at least twice as many objects as the next smaller one, and as
 * all of these together; none where this is so already. An object is then written about log2(n) times in all, and n
 * objects are in about log2(n) packs. As `git repack --geometric=2` does (git-repack(1)). Packs of large objects are left
 * out once they have 32 MiB.
 */
export function packsToJoin(packs: readonly Pack[]): Pack[] {
  const sorted = packs.filter((pack) => !isLarge(pack)).toSorted((one, other) => one.objects - other.objects)
  const objects = (index: number) => sorted[index]?.objects ?? 0
  let end = sorted.length
  while (end > 1 && objects(end - 1) >= 2 * objects(end - 2)) end--
  if (end <= 1) return []
  let sum = 0
  for (let index = 0; index < end; index++) sum += objects(index)
  while (end < sorted.length && objects(end) < 2 * sum) sum += objects(end++)
  return sorted.slice(0, end)
}

const isLarge = ({ bytes, objects }: Pack) => bytes >= largePackBytes && bytes >= objects * largeObjectBytes
