/** Refs never reach a missing object, even where somebody has deleted objects that newer ones point to. */
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { BlobwireError } from '../../../src/core/error.ts'
import { type RepositoryContext, runGit } from './git-process.ts'
import type { PackDirectory } from './pack-directory.ts'
import { PackList } from './pack-list.ts'

/**
 * An object is stored only where all that it points to is there, so that whatever is there is connected, until another
 * process deletes packs (`PackDirectory.look`). From then on new objects of refs are checked, as `git receive-pack` checks
 * those of a push, until all packs with objects that no ref may reach yet have been checked in the background.
 */
export class Connectivity {
  readonly #context: RepositoryContext
  readonly #packs: PackDirectory
  /** `PackDirectory.losses` after which everything was found to be connected. */
  #connected = 0
  /** The same, of the last check in the background. */
  #checked = 0

  constructor(context: RepositoryContext, packs: PackDirectory) {
    this.#context = context
    this.#packs = packs
  }

  /**
   * An object that is missing although these objects reach it; undefined = none, or no pack was deleted.
   *
   * @throws `unavailable` where git or the disk fails
   */
  async findGap(oids: readonly string[]): Promise<string | undefined> {
    const { losses } = this.#packs
    if (losses === this.#connected || oids.length === 0) return undefined
    if (losses !== this.#checked) void this.#checkAll(losses)
    return await this.#findGap(oids)
  }

  async #checkAll(losses: number): Promise<void> {
    this.#checked = losses
    try {
      const packs = await new PackList(this.#packs.path).read()
      const oids: string[] = []
      for (const { name } of packs.filter(({ isKept }) => isKept)) oids.push(...(await this.#objectsOf(name)))
      if ((await this.#findGap(oids)) === undefined) this.#connected = losses
    } catch {
      // Each move is checked until the next deletion.
    }
  }

  async #objectsOf(pack: string): Promise<string[]> {
    const index = await buffer(createReadStream(join(this.#packs.path, `${pack}.idx`)))
    const output = await runGit(this.#context, ['show-index'], index)
    return output.toString('latin1').match(/(?<= )[0-9a-f]{40,64}/g) ?? []
  }

  async #findGap(oids: readonly string[]): Promise<string | undefined> {
    // The commit graph of `git gc` may name commits that are gone.
    const command = ['-c', 'core.commitGraph=false', 'rev-list', '--objects', '--quiet', '--stdin', '--not', '--all']
    try {
      await runGit(this.#context, command, Buffer.from(`${oids.join('\n')}\n`))
      return undefined
    } catch (error) {
      if (!(error instanceof BlobwireError && error.reason === 'git_failed')) throw error
      const said = error.cause instanceof Error ? error.cause.message : error.message
      return said.match(/[0-9a-f]{40,64}/g)?.at(-1) ?? oids[0]
    }
  }
}
