/** Reads objects from a store into a pack, with bounded memory. */
import { buffer } from 'node:stream/consumers'
import { BlobwireError } from '../../src/core/error.ts'
import type { ObjectFormat, ObjectKind } from '../../src/git/oid.ts'
import type { NewObject, Store } from '../store/store.ts'
import type { PackFile } from './pack-file.ts'

/** Of the first look at many objects together. */
export const smallBytes = 64 * 1024
/** Larger contents are read in parts; smaller ones together, up to `batchBytes`. */
const largeBytes = 1024 * 1024
const batchBytes = 8 * 1024 * 1024

/** The repository that is exported. */
export interface SourceRepository {
  readonly store: Store
  readonly repository: string
  readonly format: ObjectFormat
}

/** Called with each object that is not a blob. */
type OnNaming = (kind: ObjectKind, content: Uint8Array, oid: string) => void

/** An object that is larger than the first look takes. */
export interface LargerObject {
  readonly oid: string
  readonly kind: ObjectKind
  readonly size: number
}

/** Takes objects of a store into a pack. Calls may overlap: they write one after the other. */
export class ObjectSource {
  readonly #source: SourceRepository
  readonly #pack: PackFile
  readonly #onNaming: OnNaming
  #turn: Promise<unknown> = Promise.resolve()

  constructor(source: SourceRepository, pack: PackFile, onNaming: OnNaming = () => undefined) {
    this.#source = source
    this.#pack = pack
    this.#onNaming = onNaming
  }

  /** Takes blobs: as they are stored, where the store has them deflated. */
  async takeBlobs(oids: readonly string[]): Promise<void> {
    const { store, repository } = this.#source
    const deflated = await store.readDeflated?.(repository, oids, smallBytes)
    await this.inTurn(async () => {
      for (const blob of deflated ?? []) if (blob) await this.#pack.addDeflated('blob', blob.size, blob.deflated)
    })
    const rest = deflated === undefined ? oids : oids.filter((_, index) => deflated[index] === undefined)
    if (rest.length > 0) await this.take(rest)
  }

  /** Takes objects of any kind. @throws BlobwireError `data_loss`, reason `integrity`, where one is missing */
  async take(oids: readonly string[]): Promise<void> {
    const { store, repository } = this.#source
    const found = await store.readObjects(repository, oids, smallBytes)
    const larger: LargerObject[] = []
    const whole: NewObject[] = []
    for (const [index, oid] of oids.entries()) {
      const object = found[index]
      if (object === undefined) throw missing(repository, oid)
      const { kind, size, content } = object
      if (content === undefined) larger.push({ oid, kind, size })
      else whole.push({ oid, kind, content })
    }
    await this.#add(whole)
    await this.takeLarger(larger)
  }

  /** Takes objects whose sizes are known: each group of them fits into memory. */
  async takeLarger(objects: readonly LargerObject[]): Promise<void> {
    let group: string[] = []
    let bytes = 0
    const takeGroup = async () => {
      const { store, repository } = this.#source
      const oids = group
      group = []
      bytes = 0
      const found = oids.length > 0 ? await store.readObjects(repository, oids, largeBytes) : []
      const whole = oids.map((oid, index) => {
        const { kind, content } = found[index] ?? {}
        if (kind === undefined || content === undefined) throw missing(repository, oid)
        return { oid, kind, content }
      })
      await this.#add(whole)
    }
    for (const { oid, kind, size } of objects) {
      if (size > largeBytes) await this.#takeLarge(oid, kind)
      else {
        if (bytes + size > batchBytes) await takeGroup()
        group.push(oid)
        bytes += size
      }
    }
    await takeGroup()
  }

  async #takeLarge(oid: string, kind: ObjectKind): Promise<void> {
    const { store, repository } = this.#source
    const content = await store.openObject(repository, oid)
    if (content === undefined) throw missing(repository, oid)
    try {
      await this.inTurn(() => this.#pack.addLarge(content))
      if (kind !== 'blob') this.#onNaming(kind, await buffer(content.read(0, content.size)), oid)
    } finally {
      await content.close()
    }
  }

  async #add(objects: readonly NewObject[]): Promise<void> {
    if (objects.length === 0) return
    await this.inTurn(() => this.#pack.add(objects))
    for (const { oid, kind, content } of objects) if (kind !== 'blob') this.#onNaming(kind, content, oid)
  }

  /** Runs work on the pack after all that was begun before. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

function missing(repository: string, oid: string): BlobwireError {
  const message = `the store lacks object ${oid}, which the refs of repository ${repository} reach`
  return new BlobwireError({ reason: 'integrity', message })
}
