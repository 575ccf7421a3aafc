/** The objects of a push between their arrival and the moves of refs, in a directory that no repository reads. */
import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobwireError } from '../../src/core/error.ts'
import type { ObjectFormat } from '../../src/git/oid.ts'
import { importObjects } from '../git-export/import-objects.ts'
import { lineReader, listNewObjects } from '../git-export/source-repository.ts'
import { gitFailure, storageFailure } from '../store/git/git-failure.ts'
import { GitProcess, type RepositoryContext } from '../store/git/git-process.ts'
import type { Store } from '../store/store.ts'

/** Trees, commits and tags are read whole by all that work with them. */
const maxOtherBytes = 64 * 1024 * 1024

/** The repository that is pushed to. */
export interface PushedRepository {
  readonly store: Store
  readonly repository: string
  readonly incarnation: string | undefined
  readonly format: ObjectFormat
  /** The bare repository that Git reads. */
  readonly served: string
  /** Where the directory of the push is made, for stores whose repositories are not Git's. */
  readonly directory: string
  readonly program: string
  /** Of a blob. */
  readonly maxBlobBytes: number
}

/** The directory of one push. */
export interface PushIntake {
  /**
   * An object directory that is also a Git directory, whose refs are those of the served repository: even temporary files
   * of `git receive-pack` come to lie here.
   */
  readonly path: string
  /** The object directory of the served repository. */
  readonly alternates: string
  /**
   * Stores the objects that these reach, durably.
   * @throws BlobwireError
   */
  take(tips: readonly string[]): Promise<void>
  /** Removes it, with all that was not taken. */
  remove(): Promise<void>
}

/** Makes the directory of a push. @throws BlobwireError */
export async function openPushIntake(target: PushedRepository): Promise<PushIntake> {
  const { store, repository, incarnation } = target
  if (store.openPackIntake === undefined) return await openOther(target)
  const packs = await store.openPackIntake(repository, incarnation)
  const context = contextOf(target, packs.path)
  return await prepared(target, {
    path: packs.path,
    alternates: context.alternates,
    async take() {
      await checkSizes(context, target.maxBlobBytes)
      await packs.take()
    },
    remove: () => packs.remove()
  })
}

/** Objects go into the store one by one, in the order in which they name each other. */
async function openOther(target: PushedRepository): Promise<PushIntake> {
  const { store, repository, incarnation, format, directory } = target
  const id = randomBytes(8).toString('hex')
  const path = join(directory, id)
  const context = contextOf(target, path)
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw storageFailure('making a directory for a push', error)
  })
  return await prepared(target, {
    path,
    alternates: context.alternates,
    async take(tips) {
      await checkSizes(context, target.maxBlobBytes)
      const source = { context, format }
      const destination = { store, repository, incarnation, uploadPrefix: `push-${id}-` }
      await importObjects(source, destination, await listNewObjects(source, tips))
    },
    remove: () => rm(path, { recursive: true, force: true })
  })
}

/** The objects of the push, and those of the repository. */
const contextOf = ({ program, served }: PushedRepository, path: string) => ({
  program,
  gitDir: served,
  objectDirectory: path,
  alternates: join(served, 'objects')
})

/** A work tree that shares a repository is made of such files (gitrepository-layout(5), "commondir"). */
async function prepared({ served }: PushedRepository, intake: PushIntake): Promise<PushIntake> {
  try {
    // Not those above it: the repository may be deleted meanwhile, and nothing of it comes back.
    await mkdir(join(intake.path, 'pack')).catch(unlessThere)
    await writeFile(join(intake.path, 'HEAD'), 'ref: refs/heads/main\n')
    await writeFile(join(intake.path, 'commondir'), `${served}\n`)
    return intake
  } catch (error) {
    await intake.remove().catch(() => undefined)
    throw storageFailure('making a directory for a push', error)
  }
}

function unlessThere(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/** A pack of some bytes may hold blobs of any size. @throws BlobwireError `resource_exhausted` */
async function checkSizes({ program, gitDir, objectDirectory }: RepositoryContext, maxBlobBytes: number) {
  let refused: BlobwireError | undefined
  const git = new GitProcess(
    { program, gitDir, objectDirectory },
    [
      'cat-file',
      '--batch-all-objects',
      '--unordered',
      '--buffer',
      '--batch-check=%(objecttype) %(objectsize) %(objectname)'
    ],
    lineReader((line) => {
      const [kind = '', size = '', oid = ''] = line.split(' ')
      const limit = kind === 'blob' ? maxBlobBytes : maxOtherBytes
      if (Number(size) <= limit) return
      const details = { limit: { limit: 'max_blob_bytes', maximum: limit, actual: Number(size), oid } }
      const message = `${kind} ${oid} has ${size} bytes; the server takes ${limit} at most`
      refused ??= new BlobwireError({ code: 'resource_exhausted', message, details })
    })
  )
  git.end()
  const exit = await git.exited
  if (exit.status !== 0) throw gitFailure('git cat-file', exit, gitDir)
  if (refused) throw refused
}
