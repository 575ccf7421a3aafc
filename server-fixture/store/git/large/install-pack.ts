/** Puts the pack of an upload into its repository. */
import { copyFile, link, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectFormat } from '../../../../src/git/oid.ts'
import type { RepositoryContext } from '../git-process.ts'
import { IncomingDirectory } from '../incoming-directory.ts'
import type { PackDirectory } from '../pack-directory.ts'
import { packHeader } from './blob-layout.ts'
import type { CompletePack } from './git-spool.ts'
import { encodeIndex } from './pack-index.ts'

/**
 * The file gets a second name, and nothing is copied where the repository is on the same file system. It is durable, and
 * every git process sees it, when this resolves.
 */
export async function installPack(
  { context, format }: { context: RepositoryContext; format: ObjectFormat },
  packs: PackDirectory,
  pack: CompletePack
): Promise<void> {
  const incoming = new IncomingDirectory(context.gitDir)
  const hash = Buffer.from(pack.checksum).toString('hex')
  try {
    await incoming.make()
    const path = join(incoming.path, 'pack', `pack-${hash}`)
    await linkOrCopy(pack.path, `${path}.pack`)
    const object = { oid: pack.oid, crc: pack.crc, position: packHeader.length }
    await writeFile(`${path}.idx`, encodeIndex(object, { checksum: pack.checksum, format }), { flush: true })
    await packs.moveIn(incoming, hash)
  } finally {
    await incoming.remove()
  }
}

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch {
    // Another file system, or one without links.
    await copyFile(from, to)
    const copy = await open(to, 'r+')
    try {
      await copy.sync()
    } finally {
      await copy.close()
    }
  }
}
