/** Reads blobs of one repository as its packs have them, deflated: neither git nor the server unpacks them. */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../src/git/oid.ts'
import type { DeflatedBlob } from '../store.ts'
import { isMissing } from './fsync.ts'
import { storageFailure } from './git-failure.ts'
import { PackEntries } from './pack-entries.ts'

/** Larger indexes are left to git, which maps them; those of one repository have so much together. */
const maxIndexBytes = 8 * 1024 * 1024
const maxOpenBytes = 32 * 1024 * 1024
/** Packs are many only until housekeeping joins them. */
const maxPacks = 64
/** After this time without a question, packs are closed. */
const idleMs = 30_000

export class DeflatedReader {
  readonly #directory: string
  readonly #format: ObjectFormat
  /** By name; undefined = left to git. */
  #packs = new Map<string, PackEntries | undefined>()
  #listedAtMs = 0
  #listing: Promise<void> | undefined
  /** Packs that have gone; closed when nobody reads. */
  #gone: PackEntries[] = []
  #users = 0
  #idleTimer: NodeJS.Timeout | undefined

  /** @param directory of packs */
  constructor(directory: string, format: ObjectFormat) {
    this.#directory = directory
    this.#format = format
  }

  /** Undefined for blobs that are to be read as any other object: deltas, large ones, those that are not here. */
  async read(oids: readonly string[], maxBytes: number): Promise<(DeflatedBlob | undefined)[]> {
    const found = new Array<DeflatedBlob | undefined>(oids.length).fill(undefined)
    this.#users++
    try {
      this.#listing ??= this.#list().finally(() => {
        this.#listing = undefined
      })
      await this.#listing
      for (const pack of this.#packs.values()) await pack?.fill(oids, found, maxBytes)
    } catch (error) {
      throw storageFailure('reading packs', error)
    } finally {
      this.#users--
      if (this.#users === 0) for (const pack of this.#gone.splice(0)) void pack.close()
      this.#idleTimer ??= setTimeout(() => this.#onIdle(), idleMs).unref()
      this.#idleTimer.refresh()
    }
    return found
  }

  /** Opens new packs, and lets go of those that have gone. */
  async #list(): Promise<void> {
    const { mtimeMs } = await stat(this.#directory)
    if (mtimeMs === this.#listedAtMs) return
    const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.idx'))
    for (const [name, pack] of this.#packs) {
      if (names.includes(`${name}.idx`)) continue
      this.#packs.delete(name)
      if (pack) this.#gone.push(pack)
    }
    let open = 0
    for (const pack of this.#packs.values()) open += pack?.bytes ?? 0
    for (const file of names.slice(0, maxPacks)) {
      const name = file.slice(0, -4)
      if (this.#packs.has(name)) continue
      const pack = await this.#open(name, maxOpenBytes - open)
      this.#packs.set(name, pack)
      open += pack?.bytes ?? 0
    }
    // A directory that was changed just now may be changed again without a later date.
    this.#listedAtMs = Date.now() - mtimeMs > 50 ? mtimeMs : 0
  }

  async #open(name: string, leftBytes: number): Promise<PackEntries | undefined> {
    const path = join(this.#directory, name)
    try {
      const { size } = await stat(`${path}.idx`)
      // In memory, the places of its objects are a third more.
      if (size > maxIndexBytes || size * 1.4 > leftBytes) return undefined
      return await PackEntries.open(path, this.#format)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  #onIdle(): void {
    if (this.#users > 0) this.#idleTimer?.refresh()
    else void this.close()
  }

  /** When nobody reads. */
  async close(): Promise<void> {
    clearTimeout(this.#idleTimer)
    this.#idleTimer = undefined
    const packs = [...this.#packs.values(), ...this.#gone.splice(0)]
    this.#packs = new Map()
    this.#listedAtMs = 0
    for (const pack of packs) await pack?.close()
  }
}
