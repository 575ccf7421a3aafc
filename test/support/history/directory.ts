/** Directories of a history that a test makes. An edit makes new ones along its path; names are bytes, as latin1 text. */
import type { ObjectPool } from './objects.ts'

/** A file, symbolic link, submodule or directory. */
interface Entry {
  /** As the tree has it: `40000`, or `040000` in trees of old programs. */
  readonly mode: string
  readonly content: string | Directory
}

const isTree = ({ mode }: Entry) => mode.endsWith('40000')

/** Git sorts a directory as if its name ended in "/". */
const sortKey = (name: string, entry: Entry) => (isTree(entry) ? `${name}/` : name)

const byKey = (a: readonly [string, Entry], b: readonly [string, Entry]) => (sortKey(...a) < sortKey(...b) ? -1 : 1)

/** The bytes of a tree with these entries, in this order. */
export function treeBytes(entries: readonly (readonly [name: string, mode: string, oid: string])[]): Uint8Array {
  return Buffer.concat(
    entries.map(([name, mode, oid]) =>
      Buffer.concat([Buffer.from(`${mode} ${name}\0`, 'latin1'), Buffer.from(oid, 'hex')])
    )
  )
}

export class Directory {
  readonly #pool: ObjectPool
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #treeMode: string
  #oid: string | undefined

  /** @param treeMode the mode that its directories have in it */
  constructor(pool: ObjectPool, entries: ReadonlyMap<string, Entry> = new Map(), treeMode = '40000') {
    this.#pool = pool
    this.#entries = entries
    this.#treeMode = treeMode
  }

  /** Asking for it makes the trees, so that the steps on the way to a directory leave none behind. */
  get oid(): string {
    if (this.#oid !== undefined) return this.#oid
    const sorted = [...this.#entries].sort(byKey)
    const bytes = treeBytes(
      sorted.map(([name, { mode, content }]) => [name, mode, typeof content === 'string' ? content : content.oid])
    )
    this.#oid = this.#pool.add('tree', bytes)
    return this.#oid
  }

  /** The directory with one entry more, or with another one in its place; directories on the way are made. */
  with(path: string, mode: string, content: string | Directory): Directory {
    const [name = '', ...rest] = path.split('/')
    if (rest.length === 0) return this.#replace(name, { mode, content })
    const found = this.#entries.get(name)?.content
    const below = found instanceof Directory ? found : new Directory(this.#pool, new Map(), this.#treeMode)
    return this.#replace(name, { mode: this.#treeMode, content: below.with(rest.join('/'), mode, content) })
  }

  /** The directory without the entry. */
  without(name: string): Directory {
    const entries = new Map(this.#entries)
    entries.delete(name)
    return new Directory(this.#pool, entries, this.#treeMode)
  }

  /** The same, whose directories have a mode of six digits, as old programs wrote it. */
  padded(): Directory {
    const entries = new Map(this.#entries)
    for (const [name, entry] of entries) if (isTree(entry)) entries.set(name, { ...entry, mode: '040000' })
    return new Directory(this.#pool, entries, '040000')
  }

  #replace(name: string, entry: Entry): Directory {
    return new Directory(this.#pool, new Map(this.#entries).set(name, entry), this.#treeMode)
  }
}
