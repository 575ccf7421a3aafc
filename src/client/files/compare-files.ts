/** Compares a directory with the tree that is to be checked out into it. Nothing is written. */
import { hashObject, newObjectHash, type ObjectFormat } from '../../git/oid.ts'
import type { Directory, DirectoryItem } from '../../platform/platform.ts'
import type { ListedFile } from './listing.ts'
import type { Problem } from './problems.ts'
import { Turns } from './turns.ts'
import { foldedName, type NameRules, type WantedDirectory } from './wanted-tree.ts'

/** A file that is to be written. */
export interface FileToWrite extends ListedFile {
  readonly directory: WantedDirectory
  readonly name: string
}

/** An entry that is to be removed. */
export interface EntryToRemove {
  readonly directory: WantedDirectory
  readonly item: DirectoryItem
}

/** The differences between a directory and a tree. */
export interface Differences {
  /** In the order of the tree. */
  readonly toWrite: FileToWrite[]
  /** Files whose content is right and whose permission to execute is not. */
  readonly toSetMode: FileToWrite[]
  readonly toRemove: EntryToRemove[]
  readonly unchanged: FileToWrite[]
  readonly problems: Problem[]
}

interface CompareOptions {
  readonly rules: NameRules
  readonly format: ObjectFormat
  /** Entries that are not in the tree, or in the way of one that is, are to be removed. */
  readonly remove: boolean
  readonly throwIfAborted: () => void
  /** Told of each file that is there as the tree has it. */
  readonly onUnchanged: (size: number) => void
}

const isLink = (file: ListedFile) => file.mode === '120000'
const isSubmodule = (file: ListedFile) => file.mode === '160000'

/** Looks at a directory, and at those below it that the tree has. */
export class FileComparison {
  readonly differences: Differences = { toWrite: [], toSetMode: [], toRemove: [], unchanged: [], problems: [] }
  readonly #options: CompareOptions
  readonly #turns = new Turns(16)

  constructor(options: CompareOptions) {
    this.#options = options
  }

  /** Without a directory on disk, all of it is to be written. */
  async compare(wanted: WantedDirectory, directory: Directory | undefined): Promise<void> {
    this.#options.throwIfAborted()
    wanted.isNew = directory === undefined
    const { rules } = this.#options
    const items = (await directory?.list()) ?? []
    const byName = new Map(items.map((item) => [foldedName(item.name, rules), item]))
    const found = (name: string) => byName.get(foldedName(name, rules))
    const known = new Set<DirectoryItem | undefined>()
    const isSame: Promise<void>[] = []
    for (const [name, file] of wanted.files) {
      const item = found(name)
      known.add(item)
      if (isSubmodule(file)) continue
      const entry = { ...file, directory: wanted, name }
      if (directory === undefined || item === undefined) this.differences.toWrite.push(entry)
      else if (item.kind === 'directory' || item.kind === 'other') this.#replace(entry, item)
      else isSame.push(this.#turns.run(() => this.#compareFile(entry, item, directory)))
    }
    await Promise.all(isSame)
    for (const [name, below] of wanted.directories) {
      const item = found(name)
      known.add(item)
      await this.#compareDirectory(below, item, directory)
    }
    if (!this.#options.remove) return
    for (const item of items) if (!known.has(item)) this.#remove(wanted, item)
  }

  async #compareDirectory(
    wanted: WantedDirectory,
    item: DirectoryItem | undefined,
    above: Directory | undefined
  ): Promise<void> {
    if (above === undefined || item?.kind !== 'directory') {
      if (item !== undefined) this.#makeWay(wanted.path, wanted.above as WantedDirectory, item)
      return this.compare(wanted, undefined)
    }
    const directory = await above.open(item.name)
    try {
      await this.compare(wanted, directory)
    } finally {
      await directory.close()
    }
  }

  async #compareFile(entry: FileToWrite, item: DirectoryItem, directory: Directory): Promise<void> {
    const { toWrite, toSetMode } = this.differences
    this.#options.throwIfAborted()
    if (isLink(entry) !== (item.kind === 'link')) toWrite.push(entry)
    else if (isLink(entry)) {
      const target = await directory.readLink(item.name)
      if (hashObject('blob', target, this.#options.format) === entry.oid) this.#keep(entry, target.length)
      else toWrite.push(entry)
    } else {
      const { digest, size, isExecutable } = await this.#hash(item, directory)
      if (digest !== entry.oid) toWrite.push(entry)
      else if (isExecutable === (entry.mode === '100755')) this.#keep(entry, size)
      else toSetMode.push(entry)
    }
  }

  async #hash({ name }: DirectoryItem, directory: Directory) {
    try {
      return await directory.hashFile(name, (size) => newObjectHash('blob', size, this.#options.format))
    } catch {
      // A file that cannot be read is written again.
      return { digest: '', size: 0, isExecutable: false }
    }
  }

  #keep(entry: FileToWrite, size: number): void {
    this.differences.unchanged.push(entry)
    this.#options.onUnchanged(size)
  }

  /** A directory, or another entry that is no file, is where a file belongs. */
  #replace(entry: FileToWrite, item: DirectoryItem): void {
    this.#makeWay(entry.path, entry.directory, item)
    this.differences.toWrite.push(entry)
  }

  #makeWay(path: string, directory: WantedDirectory, item: DirectoryItem): void {
    const place = { file: 'a file', directory: 'a directory', link: 'a link', other: 'no file' }[item.kind]
    const hint = 'give remove: true, or remove it yourself'
    if (this.#options.remove) this.#remove(directory, item)
    else this.differences.problems.push({ path, problem: `is ${place} in the directory; ${hint}` })
  }

  #remove(directory: WantedDirectory, item: DirectoryItem): void {
    this.differences.toRemove.push({ directory, item })
  }
}
