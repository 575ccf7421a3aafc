/**
 * Keeps account of the changes of files that a crash of the machine could undo: bytes until their file is synced, names
 * until their directory is (fsync(2)).
 */
import { dirname } from 'node:path'

/** The operations that it is told of: by `watchFiles`, or from a trace of system calls. */
export class Unsynced {
  /** Files with bytes, and names in their directories, by the number of the operation that changed them. */
  #files = new Map<string, number>()
  #names = new Map<string, number>()
  #operations = 0

  /** The same account for a copy of a directory. */
  copied(from: string, to: string): Unsynced {
    const copy = new Unsynced()
    const moved = (changes: Map<string, number>) =>
      new Map([...changes].map(([path, at]) => [path.startsWith(from) ? to + path.slice(from.length) : path, at]))
    copy.#files = moved(this.#files)
    copy.#names = moved(this.#names)
    copy.#operations = this.#operations
    return copy
  }

  /** Bytes of a file were written, or cut off. */
  written(path: string): void {
    this.#files.set(path, ++this.#operations)
  }

  /** A file or directory of this name came to be, or is another one. */
  named(path: string): void {
    this.#names.set(path, ++this.#operations)
  }

  /** A file has a second name. */
  linked(path: string, to: string): void {
    this.named(to)
    if (this.#files.has(path)) this.written(to)
  }

  removed(path: string): void {
    this.named(path)
    const isGone = (other: string) => other === path || other.startsWith(`${path}/`)
    for (const file of this.#files.keys()) if (isGone(file)) this.#files.delete(file)
    for (const name of this.#names.keys()) if (name !== path && isGone(name)) this.#names.delete(name)
  }

  renamed(from: string, to: string): void {
    this.#files.delete(to)
    const moved = (path: string) => (path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path)
    this.#files = new Map([...this.#files].map(([path, at]) => [moved(path), at]))
    this.#names = new Map([...this.#names].map(([path, at]) => [path === from ? path : moved(path), at]))
    this.named(from)
    this.named(to)
  }

  /** A sync begins. The function is called when it has ended: what was changed meanwhile is not synced. */
  syncing(path: string): () => void {
    const began = this.#operations
    return () => {
      if ((this.#files.get(path) ?? Infinity) <= began) this.#files.delete(path)
      for (const [name, at] of this.#names) if (dirname(name) === path && at <= began) this.#names.delete(name)
    }
  }

  /** What a crash could undo, below a directory, without the names and bytes that nobody would miss. */
  list(directory: string, isMissed: (path: string) => boolean): string[] {
    const found = [
      ...[...this.#files.keys()].map((path) => ({ path, what: 'bytes of' })),
      ...[...this.#names.keys()].map((path) => ({ path, what: 'name of' }))
    ].filter(({ path }) => path.startsWith(`${directory}/`))
    return found
      .map(({ path, what }) => ({ path: path.slice(directory.length + 1), what }))
      .filter(({ path }) => isMissed(path))
      .map(({ path, what }) => `${what} ${path}`)
      .toSorted()
  }
}
