/** Walks from the tips of refs to all objects that an export lacks. */
import { isOid } from '../../src/git/oid.ts'
import { CatFile } from '../store/git/cat-file.ts'
import type { RepositoryContext } from '../store/git/git-process.ts'
import { CommitsAhead } from './commits-ahead.ts'
import { type NamedObject, namedObjects } from './named-objects.ts'
import { ObjectSource, type SourceRepository } from './object-source.ts'
import type { PackFile } from './pack-file.ts'

/** Objects of one read. */
const batchObjects = 256
/** Reads under way together. A history is a chain, so its commits are read beside trees and blobs of earlier ones. */
const readsInFlight = 4

/** `other`: commits and tags, and tips, whose kind is not known. */
type List = 'blob' | 'tree' | 'other'

interface WalkOptions {
  /** The export, in which every object has all that it names beside it; undefined = it is empty. */
  readonly context: RepositoryContext | undefined
  /** Commits whose parents are left out. */
  readonly shallow: ReadonlySet<string>
}

/** Takes all objects that the tips reach, and that the export lacks, into the pack. */
export async function walkObjects(
  source: SourceRepository,
  pack: PackFile,
  options: WalkOptions & { readonly tips: readonly string[] }
): Promise<void> {
  await new ObjectWalk(source, pack, options).run(options.tips)
}

class ObjectWalk {
  readonly #source: SourceRepository
  readonly #objects: ObjectSource
  readonly #shallow: ReadonlySet<string>
  readonly #exported: CatFile | undefined
  readonly #ahead: CommitsAhead | undefined
  readonly #seen = new Set<string>()
  /** Seen, and maybe exported. */
  #found: NamedObject[] = []
  /** Not exported. */
  readonly #wanted: Readonly<Record<List, string[]>> = { blob: [], tree: [], other: [] }

  constructor(source: SourceRepository, pack: PackFile, { context, shallow }: WalkOptions) {
    this.#source = source
    this.#shallow = shallow
    this.#exported = context && new CatFile(context)
    this.#ahead = context && new CommitsAhead(source, context)
    this.#objects = new ObjectSource(source, pack, (kind, content, oid) => {
      this.#find(this.#namedBy(oid, namedObjects(kind, content, source.format)))
    })
  }

  async run(tips: readonly string[]): Promise<void> {
    const running = new Set<Promise<void>>()
    let failure: unknown
    try {
      this.#find(tips.map((oid) => ({ oid, kind: undefined })))
      for (;;) {
        if (failure !== undefined) throw failure
        const work = running.size < readsInFlight ? this.#next(running.size === 0) : undefined
        if (work !== undefined) {
          const run = work
            .catch((error) => {
              failure ??= error
            })
            .finally(() => running.delete(run))
          running.add(run)
        } else if (running.size > 0) await Promise.race(running)
        else break
      }
    } finally {
      await Promise.all(running)
      this.#exported?.end()
      await this.#exported?.exited
    }
  }

  #next(isIdle: boolean): Promise<void> | undefined {
    if (this.#found.length > 0) {
      const found = this.#found.splice(0, batchObjects * 4)
      if (this.#exported === undefined) this.#want(found)
      else return this.#ask(this.#exported, found)
    }
    const list = this.#listToRead(isIdle)
    if (list === 'other' && this.#exported && this.#ahead?.isDue()) return this.#lookAhead(this.#ahead, this.#exported)
    const oids = list && this.#wanted[list].splice(-batchObjects)
    return oids && (list === 'blob' ? this.#objects.takeBlobs(oids) : this.#objects.take(oids))
  }

  /**
   * Full batches first, of objects that name no others before those that name many, so that the lists stay short. Then a
   * commit, of which all else waits. Small batches where there is nothing else to do.
   */
  #listToRead(isIdle: boolean): List | undefined {
    const { blob, tree, other } = this.#wanted
    if (blob.length >= batchObjects) return 'blob'
    if (tree.length >= batchObjects) return 'tree'
    if (other.length > 0) return 'other'
    if (!isIdle) return undefined
    return tree.length > 0 ? 'tree' : blob.length > 0 ? 'blob' : undefined
  }

  async #ask(exported: CatFile, found: readonly NamedObject[]): Promise<void> {
    const there = await exported.ask({ command: 'info', oids: found.map(({ oid }) => oid) })
    this.#want(found.filter((_, index) => there[index] === undefined))
  }

  /** From then on, a commit is found with all its ancestors. */
  async #lookAhead(ahead: CommitsAhead, exported: CatFile): Promise<void> {
    await ahead.read(exported)
    for (const oid of this.#wanted.other) this.#find(this.#namedBy(oid, ahead.parentsOf(oid)))
  }

  #namedBy(oid: string, named: readonly NamedObject[]): readonly NamedObject[] {
    return this.#shallow.has(oid) ? named.filter(({ kind }) => kind !== 'commit') : named
  }

  #find(objects: readonly NamedObject[]): void {
    const rest = [...objects].reverse()
    for (let object = rest.pop(); object !== undefined; object = rest.pop()) {
      const { oid } = object
      if (this.#seen.has(oid) || !isOid(oid, this.#source.format)) continue
      this.#seen.add(oid)
      this.#found.push(object)
      for (const parent of this.#namedBy(oid, this.#ahead?.parentsOf(oid) ?? [])) rest.push(parent)
    }
  }

  #want(objects: readonly NamedObject[]): void {
    for (const { oid, kind } of objects) this.#wanted[kind === 'blob' || kind === 'tree' ? kind : 'other'].push(oid)
  }
}
